// Finds the steps in lines that restep prints:
//
//   104 server/21  14:10:04.000 INF machines_test.go:20 > got a request
//   when   step 11, 14:10:03.000 (t=0.000s), seed 2
//   look   restep debug -test TestTransfer -seed 2 -step 11 ./bank
//
// and #104 and restep://v1/... anywhere.

import { readSeed, readStep } from "./commands.js";
import { type Moment, parseMoment } from "./moment.js";

export interface StepLink {
  /** Where it is in the line, in UTF-16 units. */
  readonly start: number;
  readonly length: number;
  readonly step: number;
  /** Known when the line itself says all. */
  readonly moment?: Moment;
  readonly command?: DebugCommand;
}

/** The run that a printed command names: restep debug -test T -seed N -step N [package]. */
export interface DebugCommand {
  readonly test: string;
  readonly seed: string;
  readonly step: number;
  /** As on the command line: "./bank", or "." without one. */
  readonly package: string;
}

const stepLine = /^(\s*)(\d{1,16}) (\S.*?) {2,}(\d\d:\d\d:\d\d\.\d{3}) [A-Za-z]\S* /;
const whenLine = /^\s+when\s+(step (\d{1,16})), /;
const debugCommand = /\brestep debug (-test .*)$/;
const hash = /(?<![\w#&/])#(\d{1,16})(?!\w)/g;
const uri = /restep:\/\/v1\/[^\s"'<>`]+/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to find
const escapes = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

/** plain returns a line without escape sequences of a terminal and blanks at its end. */
export function plain(line: string): string {
  return line.replace(escapes, "").trimEnd();
}

/** stepOfLine returns the number that a line of a step starts with. */
export function stepOfLine(line: string): number | undefined {
  return readStep(stepLine.exec(line)?.[2]);
}

/** isOurs tells whether a line is surely restep's, whatever printed it. */
export function isOurs(line: string): boolean {
  return stepLine.test(line) || line.includes("restep://v1/") || debugCommand.test(line);
}

/** findLinks returns the steps that a line without escape sequences names, in order. */
export function findLinks(line: string): StepLink[] {
  const links: StepLink[] = [];
  const add = (start: number, length: number, step: number | undefined, more: Partial<StepLink> = {}) => {
    const free = links.every((l) => start >= l.start + l.length || start + length <= l.start);
    if (step !== undefined && free) {
      links.push({ start, length, step, ...more });
    }
  };
  for (const m of line.matchAll(uri)) {
    addMoment(m, add);
  }
  const head = stepLine.exec(line);
  if (head) {
    const number = head[2] ?? "";
    add((head[1] ?? "").length, number.length, readStep(number));
  }
  const when = whenLine.exec(line);
  if (when) {
    add(line.indexOf(when[1] ?? ""), (when[1] ?? "").length, readStep(when[2]));
  }
  const shown = debugCommand.exec(line);
  const command = shown && parseDebug(shown[1] ?? "");
  if (shown && command) {
    add(shown.index, shown[0].trimEnd().length, command.step, { command });
  }
  for (const m of line.matchAll(hash)) {
    add(m.index, m[0].length, readStep(m[1]));
  }
  return links.sort((a, b) => a.start - b.start);
}

function addMoment(
  m: RegExpExecArray,
  add: (start: number, length: number, step: number | undefined, more: Partial<StepLink>) => void,
): void {
  const text = m[0].replace(/[.,;:!?)\]}]+$/, "");
  try {
    const moment = parseMoment(text);
    add(m.index, text.length, moment.step, { moment });
  } catch {
    // Something that only looks like a link.
  }
}

/** parseDebug reads the arguments of restep debug. */
export function parseDebug(text: string): DebugCommand | undefined {
  const words = splitWords(text);
  const values = new Map<string, string>();
  let at = 0;
  for (; at < words.length && words[at]?.startsWith("-"); at++) {
    const [name = "", value] = (words[at] ?? "").replace(/^--?/, "").split("=", 2);
    values.set(name, value ?? words[++at] ?? "");
  }
  const seed = readSeed(values.get("seed"));
  const step = readStep(values.get("step"));
  const test = values.get("test");
  if (!test || seed === undefined || step === undefined) {
    return undefined;
  }
  return { test, seed, step, package: words[at] ?? "." };
}

/** splitWords splits a command line as a shell does, for plain words and quotes. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  for (const m of text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g)) {
    const word = m[0].replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, c, dq, sq) =>
      c !== undefined ? c : dq !== undefined ? dq.replace(/\\(.)/g, "$1") : sq,
    );
    words.push(word);
  }
  return words;
}
