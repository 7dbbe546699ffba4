// Links to a step: restep://v1/example.org/bank?test=TestTransfer&seed=37&step=412&build=9f86
// and the same behind the URI scheme of the editor. The grammar is that of
// replay/moment; a link carries no path, flag, environment or binary.

import { readSeed, readStep } from "./commands.js";

export interface Moment {
  /** Import path. */
  readonly package: string;
  readonly test: string;
  readonly seed: string;
  /** Undefined is the run as a whole. */
  readonly step?: number;
  /** Hexadecimal. */
  readonly variant?: string;
  readonly build?: string;
}

const front = "restep://v1/";
const fronts = /^(?:restep:\/\/|[a-z][a-z0-9+.-]*:\/\/restep\.restep\/)v1\//;
const textMax = 4096;

/** formatMoment returns the link. */
export function formatMoment(m: Moment): string {
  const path = m.package.split("/").map(encodeURIComponent).join("/");
  let text = `${front}${path}?test=${encodeURIComponent(m.test)}&seed=${m.seed}`;
  if (m.step !== undefined) {
    text += `&step=${m.step}`;
  }
  if (m.variant !== undefined) {
    text += `&variant=${m.variant}`;
  }
  if (m.build !== undefined) {
    text += `&build=${m.build}`;
  }
  return text;
}

/** parseMoment reads a link; an Error says which part is wrong. */
export function parseMoment(text: string): Moment {
  if (text.length > textMax) {
    throw new Error(`the link is longer than ${textMax} characters`);
  }
  const start = fronts.exec(text)?.[0];
  if (start === undefined) {
    throw new Error(`a link to a step starts with ${front}`);
  }
  const rest = text.slice(start.length);
  const mark = rest.indexOf("?");
  return parseParts(mark < 0 ? rest : rest.slice(0, mark), mark < 0 ? "" : rest.slice(mark + 1));
}

/** parseParts reads the import path, and what stands after the question mark. */
export function parseParts(path: string, query: string): Moment {
  const parts = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (!["test", "seed", "step", "variant", "build"].includes(key)) {
      throw new Error(`the link has an unknown part "${key}"`);
    }
    if (parts.has(key)) {
      throw new Error(`the link has "${key}" twice`);
    }
    parts.set(key, value);
  }
  const test = parts.get("test") ?? "";
  if (!/^(?!-)[\p{L}\p{N}_.~+-]+$/u.test(test)) {
    throw new Error(`the link names no test: "${test}"`);
  }
  const seed = readSeed(parts.get("seed") ?? "");
  if (seed === undefined) {
    throw new Error(`the link's seed is no number: "${parts.get("seed") ?? ""}"`);
  }
  return { package: importPath(path), test, seed, ...optional(parts) };
}

function importPath(path: string): string {
  let text: string;
  try {
    text = decodeURIComponent(path);
  } catch {
    throw new Error(`the link's import path cannot be decoded: "${path}"`);
  }
  const bad = text.split("/").some((part) => part === "" || part === "." || part === "..");
  if (bad || !/^(?!-)[\p{L}\p{N}_.~+/-]+$/u.test(text)) {
    throw new Error(`the link names no package: "${text}"`);
  }
  return text;
}

function optional(parts: Map<string, string>): Pick<Moment, "step" | "variant" | "build"> {
  const out: { step?: number; variant?: string; build?: string } = {};
  const step = parts.get("step");
  if (step !== undefined && step !== "0") {
    const number = readStep(step);
    if (number === undefined) {
      throw new Error(`the link's step is no number: "${step}"`);
    }
    out.step = number;
  }
  for (const key of ["variant", "build"] as const) {
    const value = parts.get(key);
    if (value === undefined) {
      continue;
    }
    if (!/^[0-9a-f]*$/.test(value)) {
      throw new Error(`the link's ${key} is not hexadecimal: "${value}"`);
    }
    out[key] = value;
  }
  return out;
}
