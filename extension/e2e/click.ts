// The story that the extension is for, by mouse and keyboard in real VS Code:
// run a test with a seed, click a step in the terminal, be there; go on and
// back; stop.

import assert from "node:assert/strict";
import { clickStep, stepsOf, terminalRows } from "./terminal.js";
import { buildMs, User } from "./user.js";

/** Lines of machines_test.go. */
const requestLine = 21;
const makingLine = 28;

const nightly = process.env["RESTEP_NIGHTLY"] === "1";

/** openTest opens the test and waits for its lens. */
export async function openTest(user: User): Promise<void> {
  await user.show("machines_test.go");
  await user.line(50);
  await user.lens("run with seed").waitFor();
}

/** runWithSeed runs the test by its lens and returns what the terminal shows. */
export async function runWithSeed(user: User, seed: number): Promise<string> {
  await user.lens("run with seed").click();
  const input = user.page.locator(".quick-input-widget input");
  await input.waitFor({ state: "visible" });
  await input.fill(String(seed));
  await user.shot("seed");
  await user.page.keyboard.press("Enter");
  return user.see(terminalRows, new RegExp(`ok\\s+example\\.org/machines.*seed ${seed}\\)`), buildMs);
}

export async function clickStory(user: User): Promise<void> {
  await openTest(user);
  await user.shot("lens");

  const terminal = await runWithSeed(user, 7);
  const [clicked = 0] = stepsOf(terminal, "got a request from 11.0.0.1:10001");
  const before = stepsOf(terminal, "making a request").findLast((step) => step < clicked) ?? 0;
  assert.ok(before > 0, terminal);

  // Hints appear at the log line.
  await user.line(20);
  await user.see(".view-lines", /#\d+ server\/\d+ ×4/);
  await user.shot("hints");

  // Click a request.
  const at = await clickStep(user, clicked, "link");
  const status = await user.atStep(clicked);
  assert.match(status, /· 14:10:05\.\d\d\d · server\/\d+ · seed 7/);
  await user.arrowAt(requestLine);
  const first = performance.now() - at;
  await user.see(".view-lines", new RegExp(`#${clicked} server/\\d+ ×4`)); // no longer the line's first hit
  await user.page.locator('.pane-header[aria-label^="Watch"]').click(); // more room for variables
  await stoppedAtTheLine(user, /server\/\d+[\s\S]*at step #\d+: log of server\/\d+/i);
  await user.shot("stopped");

  // Next and previous event, and a line forwards and back.
  await user.press("Next Event");
  await user.atStep(clicked + 1);
  await user.shot("next-event");
  await user.press("Previous Event");
  await user.atStep(clicked);
  await user.arrowAt(requestLine);
  await user.press("Step Over");
  await user.see(User.statusBar, /after #\d+ · \d/);
  await user.arrowAt(requestLine + 1);
  await user.shot("step-over");
  await user.press("Step Back");
  await user.arrowAt(requestLine);
  await user.see(User.statusBar, /after #\d+ · \d/);
  await stoppedAtTheLine(user, /server\/\d+/);
  await user.shot("step-back");
  await user.press("Reverse"); // no breakpoint before: to the start of the run
  await user.see(User.statusBar, /#1 · /);
  await user.press("Next Event");
  await user.atStep(2);
  await clickInConsole(user, before);
  const later = await clicksInConsole(user, 20);
  await stop(user);
  const firsts = [first];
  while (firsts.length < (nightly ? 20 : 5)) {
    firsts.push(await clickAfresh(user, clicked));
  }
  const ms = (n: number) => `${n.toFixed(0)} ms`;
  for (const [what, times] of Object.entries({ "first clicks": firsts, "later clicks": later })) {
    console.log(`     ${times.length} ${what} to the arrow: p50 ${ms(at50(times))}, p95 ${ms(at95(times))}`);
  }
}

/** clickAfresh clicks the lens of a step while nothing is debugged, and returns how long it took to be there. */
async function clickAfresh(user: User, step: number): Promise<number> {
  const lens = user.lens(new RegExp(`^#${step} server/\\d+$`));
  await lens.hover();
  await user.page.mouse.down();
  const at = performance.now();
  await user.page.mouse.up();
  await user.atStep(step);
  await user.arrowAt(requestLine);
  const took = performance.now() - at;
  await end(user);
  return took;
}

/** stoppedAtTheLine looks for r.RemoteAddr in Variables and for machines in Call Stack. */
async function stoppedAtTheLine(user: User, thread: RegExp): Promise<void> {
  const rows = user.page.locator(".debug-variables .monaco-list-row");
  const r = rows.filter({ hasText: /^\s*r\s*=\s*\*net/ }).first();
  const request = rows.filter({ hasText: /^\s*=\s*net\/http\.Request/ }).first();
  const field = rows.filter({ hasText: /^\s*(Method|Host|RemoteAddr)\s*=/ }).first();
  await user.expand(rows.filter({ hasText: /^\s*Locals/ }).first(), r);
  await user.expand(r, request);
  await user.expand(request, field);
  const address = rows.filter({ hasText: /^\s*RemoteAddr\s*=\s*"11\.0\.0\.1:1000\d"/ }).first();
  await request.hover();
  for (let i = 0; (await address.count()) === 0; i++) {
    assert.ok(i < 100, `r has no RemoteAddr:\n${await user.text(".debug-variables")}`);
    await user.page.mouse.wheel(0, 60);
    await user.frame();
  }
  await user.page.mouse.move(900, 80); // no tooltip in the picture
  await user.page.locator(".workbench-hover").waitFor({ state: "hidden" });
  await user.see(".debug-call-stack", thread);
  await user.see(".debug-call-stack", /main\/\d+/);
}

/** clickInConsole clicks a log line in the debug console, which VS Code opens with the first session. */
async function clickInConsole(user: User, step: number): Promise<void> {
  const { page } = user;
  const link = page.locator(".repl .monaco-list-row a.link", { hasText: new RegExp(`^\\s*${step} `) });
  await link.first().waitFor();
  await user.shot("console");
  await link.first().click({ modifiers: ["Control"] });
  await user.atStep(step);
  await user.arrowAt(makingLine);
  await user.see(".debug-call-stack", new RegExp(`at step #${step}:`, "i"));
  await page.locator(".debug-variables .monaco-list-row", { hasText: /^\s*Locals/ }).waitFor();
  await user.shot("console-clicked");
}

/** clicksInConsole clicks two lines of the log in turns and returns how long each took until the arrow was there. */
async function clicksInConsole(user: User, count: number): Promise<number[]> {
  const { page } = user;
  const links = page.locator(".repl .monaco-list-row a.link");
  const seen = new Map<number, number>(); // step to line
  for (const text of await page.locator(".repl .monaco-list-row").allTextContents()) {
    const [, step, line] = /\s(\d+) \S+\/\d+ .* \w+\.go:(\d+) > /.exec(text.replace(/\u00a0/g, " ")) ?? [];
    if (step !== undefined) {
      seen.set(Number(step), Number(line));
    }
  }
  const two = [...seen].slice(-2);
  assert.equal(two.length, 2, `steps in the console: ${[...seen.keys()]}`);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const [step, line] = two[i % 2] ?? [0, 0];
    const link = links.filter({ hasText: new RegExp(`^\\s*${step} `) }).first();
    await page.keyboard.down("Control");
    await link.hover({ modifiers: ["Control"] });
    await page.mouse.down();
    const clicked = performance.now();
    await page.mouse.up();
    await page.keyboard.up("Control");
    await user.atStep(step);
    await user.arrowAt(line);
    times.push(performance.now() - clicked);
  }
  return times;
}

const percentile = (share: number) => (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
const at50 = percentile(0.5);
const at95 = percentile(0.95);

export async function stop(user: User): Promise<void> {
  await end(user);
  await user.shot("end");
}

async function end(user: User): Promise<void> {
  await user.press("Stop");
  await user.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
  await user.page.locator(User.statusBar).waitFor({ state: "hidden" });
}
