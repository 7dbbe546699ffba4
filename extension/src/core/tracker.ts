// Remembers which run printed which line, for a click on a line of a terminal
// comes with the text of the line only.

import { plain, stepOfLine } from "./lines.js";

/** A run as far as restep's output tells. */
export interface Run {
  /** Where the command ran. */
  readonly cwd: string;
  /** Folder or import path of the package; "" until its last line names it. */
  program: string;
  readonly test: string;
  readonly seed: string;
}

const linesMax = 50_000;
const runHeader = /^=== RUN {3}(\S+) \(seed (\d+)\)$/;
const packageLine = /^(?:ok|FAIL)\s+(\S+)\s/;
const whenLine = /^\s+when\s+step \d+, /;
const lookLine = /^\s+look\s+restep debug /;

/** LineStore holds the lines of all terminals. */
export class LineStore {
  private readonly lines = new Map<string, Run[]>();

  add(line: string, run: Run): void {
    const runs = this.lines.get(line) ?? [];
    const others = runs.filter((r) => r.test !== run.test || r.seed !== run.seed || !sameProgram(r, run));
    this.lines.delete(line); // the newest lines come last
    this.lines.set(line, [run, ...others]);
    if (this.lines.size > linesMax) {
      for (const oldest of this.lines.keys()) {
        this.lines.delete(oldest);
        break;
      }
    }
  }

  /** runs returns the runs that printed a line, the newest first. */
  runs(line: string): readonly Run[] {
    return this.lines.get(plain(line)) ?? [];
  }
}

function sameProgram(a: Run, b: Run): boolean {
  return a.cwd === b.cwd && a.program === b.program;
}

/** Tracker reads the output of one restep test. */
export class Tracker {
  /** The last run whose output has begun. */
  last: Run | undefined;
  private rest = "";
  private open: Run[] = []; // of a package that is not named yet

  constructor(
    private readonly store: LineStore,
    private readonly cwd: string,
    private readonly program = "",
  ) {}

  /** feed takes output as it comes, with or without escape sequences. */
  feed(chunk: string): void {
    const lines = (this.rest + chunk).split(/\r*\n/);
    this.rest = (lines.pop() ?? "").slice(-65_536);
    for (const line of lines) {
      this.line(plain(line));
    }
  }

  private line(line: string): void {
    const header = runHeader.exec(line);
    if (header) {
      this.last = { cwd: this.cwd, program: this.program, test: header[1] ?? "", seed: header[2] ?? "" };
      if (this.program === "") {
        this.open.push(this.last);
      }
      return;
    }
    if (this.last && (stepOfLine(line) !== undefined || whenLine.test(line) || lookLine.test(line))) {
      this.store.add(line, this.last);
      return;
    }
    const named = packageLine.exec(line);
    if (named) {
      for (const run of this.open) {
        run.program = named[1] ?? "";
      }
      this.open = [];
    }
  }
}
