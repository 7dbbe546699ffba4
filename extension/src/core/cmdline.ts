// Command lines of restep test: those that the extension runs, and those that
// a user types.

import { basename, isAbsolute, resolve } from "node:path";
import { splitWords } from "./lines.js";

export interface TestCommand {
  /** "TestX" or "TestX/sub". */
  readonly test: string;
  readonly seed?: string;
  readonly seeds?: string;
  readonly buildFlags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** testArguments returns the arguments of restep for a run in the package's folder. */
export function testArguments(c: TestCommand): string[] {
  const args = ["test", `-run=${runPattern(c.test)}`];
  if (c.seeds !== undefined) {
    args.push(`-seeds=${c.seeds}`);
  } else {
    args.push("-v", `-seed=${c.seed ?? "1"}`);
  }
  for (const [name, value] of Object.entries(c.env)) {
    args.push("-env", `${name}=${value}`);
  }
  return [...args, ...c.buildFlags, "."];
}

function runPattern(test: string): string {
  return test
    .split("/")
    .map((part) => `^${part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`)
    .join("/");
}

/** quote returns a command line that a shell reads as these words. */
export function quote(words: readonly string[]): string {
  return words.map((w) => (/^[\w@%+=:,./-]+$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`)).join(" ");
}

/** typedTest returns the folder in which a typed command line runs restep test, undefined for others. */
export function typedTest(line: string, cwd: string): string | undefined {
  const words = splitWords(line);
  const at = words.findIndex((w) => /^restep(\.exe)?$/.test(basename(w)));
  if (at < 0 || words[at + 1] !== "test") {
    return undefined;
  }
  let dir = cwd;
  for (let i = at + 2; i < words.length; i++) {
    const flag = /^--?C(?:=(.*))?$/.exec(words[i] ?? "");
    if (flag) {
      const to = flag[1] ?? words[++i] ?? "";
      dir = isAbsolute(to) ? to : resolve(dir, to);
    }
  }
  return dir;
}
