// Texts of the status bar.

import type { Step } from "./dapExt.js";

/** who names the machine and goroutine of a step, as restep prints them. */
export function who(s: Pick<Step, "machine" | "goroutine">): string {
  const machine = s.machine || "-";
  return s.goroutine ? `${machine}/${s.goroutine}` : machine;
}

/** clock returns the time of day of a simulated time, with milliseconds. */
export function clock(rfc3339: string): string {
  const m = /T(\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(rfc3339);
  return m ? `${m[1]}.${(m[2] ?? "").padEnd(3, "0").slice(0, 3)}` : rfc3339;
}

/** statusText returns "#104 · 14:10:04.000 · server/21 · seed 1". */
export function statusText(s: Step, atStep: boolean, seed: string): string {
  return [`${atStep ? "" : "after "}#${s.step}`, clock(s.time), who(s), `seed ${seed}`].join(" · ");
}

/** escapeMarkdown makes text of a program show as it is. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\p{Cc}/gu, " ").replace(/[\\`*_{}[\]()#+\-.!|<>~$&:@]/g, (c) => `&#${c.charCodeAt(0)};`);
}
