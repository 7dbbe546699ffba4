// The processes that a test has started, from /proc.

import { readdirSync, readFileSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly line: string;
  /** When it was started; with the pid it names one process for good. */
  readonly start: string;
}

/** processes returns all that have not ended, with those that only their parent could still bury left out. */
export function processes(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${Number(name)}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // proc(5), from the third on
      const [state, parent, start] = [fields[0], Number(fields[1]), fields[19] ?? ""];
      const line = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return state === "Z" ? [] : [{ pid: Number(name), parent, line, start }];
    } catch {
      return []; // no process, or one that has ended meanwhile
    }
  });
}

/** alive tells whether a process still runs. */
export function alive(process: Process): boolean {
  return processes().some((p) => p.pid === process.pid && p.start === process.start);
}

/** below returns the descendants of a process. */
export function below(pid: number, all = processes()): Process[] {
  return all.flatMap((p) => (p.parent === pid ? [p, ...below(p.pid, all)] : []));
}

/** of returns the processes that have a folder in their command line or environment. */
export function of(folder: string): Process[] {
  return processes().filter((p) => {
    try {
      return p.line.includes(folder) || readFileSync(`/proc/${p.pid}/environ`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });
}

/** begun waits until there is one of some processes. */
export async function begun(what: string, some: () => readonly Process[], ms = 60_000): Promise<void> {
  for (const end = Date.now() + ms; some().length === 0; ) {
    if (Date.now() > end) {
      throw new Error(`${what}: not begun`);
    }
    await new Promise((done) => setTimeout(done, 50)); // the start of another's child is no event
  }
}

/** ended waits until none of some processes is left. */
export async function ended(what: string, left: () => readonly Process[], ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    const now = left();
    if (now.length === 0) {
      return;
    }
    if (Date.now() > end) {
      throw new Error(`${what}; still running:\n${now.map((p) => `${p.pid} ${p.line}`).join("\n")}`);
    }
    await new Promise((done) => setTimeout(done, 50)); // the end of another's child is no event
  }
}
