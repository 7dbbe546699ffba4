// The commands that code lenses, menus and links call, and their arguments.
// The language server writes the same names and arguments into its lenses.

export const commands = {
  runTest: "restep.runTest",
  runTestWithSeed: "restep.runTestWithSeed",
  explore: "restep.explore",
  debug: "restep.debug",
  goToStep: "restep.goToStep",
  previousHit: "restep.previousHit",
  nextHit: "restep.nextHit",
  nextEvent: "restep.nextEvent",
  previousEvent: "restep.previousEvent",
  copyLink: "restep.copyLink",
  restartServer: "restep.restartServer",
  showServerLog: "restep.showServerLog",
} as const;

/** What a lens says about a test or one of its steps. Numbers that may pass 2^53 are decimal text. */
export interface TestArguments {
  /** Of a file in the package's folder. */
  readonly uri?: string;
  /** Import path. */
  readonly package?: string;
  /** "TestX" or "TestX/sub". */
  readonly test?: string;
  readonly seed?: string;
  readonly step?: number;
  /** Of explore: "1-100". */
  readonly seeds?: string;
}

/** readArguments takes what VS Code hands to a command, which anyone may have written. */
export function readArguments(value: unknown): TestArguments {
  if (typeof value !== "object" || value === null) {
    return {};
  }
  const from = value as Record<string, unknown>;
  const out: { -readonly [K in keyof TestArguments]: TestArguments[K] } = {};
  for (const key of ["uri", "package", "test", "seeds"] as const) {
    const text = from[key];
    if (typeof text === "string" && text !== "") {
      out[key] = text;
    }
  }
  const seed = readSeed(from["seed"]);
  if (seed !== undefined) {
    out.seed = seed;
  }
  const step = readStep(from["step"]);
  if (step !== undefined) {
    out.step = step;
  }
  return out;
}

const seedMax = (1n << 64n) - 1n;

/** readSeed returns a seed in decimal, undefined for what is no number below 2^64. */
export function readSeed(value: unknown): string | undefined {
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  }
  if (typeof value !== "string" || !/^\s*\d{1,20}\s*$/.test(value)) {
    return undefined;
  }
  const seed = BigInt(value.trim());
  return seed <= seedMax ? seed.toString() : undefined;
}

/** readStep returns a step's number, from 412, "412" or "#412". */
export function readStep(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !/^\s*#?\d{1,16}\s*$/.test(text)) {
    return undefined;
  }
  const step = Number(text.trim().replace("#", ""));
  return Number.isSafeInteger(step) && step > 0 ? step : undefined;
}

/** isSeedSet tells whether restep test -seeds takes the text: "1,2,5-10". */
export function isSeedSet(text: string): boolean {
  return /^\d{1,20}(-\d{1,20})?(,\d{1,20}(-\d{1,20})?)*$/.test(text);
}

/** isTestName tells whether the text names a test, and surely is no flag or expression. */
export function isTestName(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_]*(\/[^\p{C}\s]+)*$/u.test(text);
}
