// The story that the extension is for, by mouse and keyboard in real VS Code:
// run a test with a seed, click a step in the terminal, be there; go on and
// back; stop.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import type { Folders } from "./harness.js";

const waitMs = 30_000;
const buildMs = 60_000; // the first build of the simulator

/** Lines of machines_test.go. */
const requestLine = 21;
const makingLine = 28;

/** A user of one window. */
export class User {
  private shots = 0;

  constructor(
    readonly page: Page,
    private readonly folders: Folders,
  ) {
    page.setDefaultTimeout(waitMs);
  }

  async shot(name: string): Promise<void> {
    this.shots++;
    const file = `${String(this.shots).padStart(2, "0")}-${name}.png`;
    await this.page.screenshot({ path: join(this.folders.artefacts, file) });
  }

  /** text waits until an element shows some text, whose blanks may be of any kind. */
  async text(locator: Locator, want: RegExp, timeout = waitMs): Promise<string> {
    const end = Date.now() + timeout;
    for (let got = ""; ; ) {
      got = (await locator.allInnerTexts()).join("\n").replace(/\u00a0/g, " ");
      if (want.test(got)) {
        return got;
      }
      assert.ok(Date.now() < end, `${want} does not appear in:\n${got}`);
      await this.page.waitForTimeout(100);
    }
  }

  /** line puts the cursor into a line of the editor. */
  async line(number: number): Promise<void> {
    await this.page.locator(".monaco-editor .view-lines").first().click();
    await this.page.keyboard.press("Control+g");
    const input = this.page.locator(".quick-input-widget input");
    await input.waitFor({ state: "visible" });
    await input.fill(`:${number}`);
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
  }

  status(): Locator {
    return this.page.locator('[id="restep.restep.restep.step"], [id="restep.restep.step"]');
  }

  /** atStep waits until the run is stopped right before an event. */
  async atStep(step: number): Promise<string> {
    return this.text(this.status(), new RegExp(`^\\s*#${step} · `), buildMs);
  }

  /** arrowAt waits until the arrow of the debugger stands at a line of the active editor. */
  async arrowAt(line: number): Promise<void> {
    const editor = this.page.locator(".editor-instance .monaco-editor").first();
    for (let i = 0, at = ""; at !== String(line); i++) {
      assert.ok(i < 100, `the arrow is at line ${at || "?"}, want ${line}`);
      await this.page.waitForTimeout(100);
      const arrow = await editor
        .locator(".codicon-debug-stackframe")
        .first()
        .boundingBox({ timeout: 100 })
        .catch(() => null);
      const numbers = editor.locator(".margin-view-overlays .line-numbers");
      for (const number of arrow ? await numbers.all() : []) {
        const box = await number.boundingBox({ timeout: 100 }).catch(() => null);
        if (arrow && box && Math.abs(box.y + box.height / 2 - arrow.y - arrow.height / 2) < 5) {
          at = (await number.textContent({ timeout: 100 }).catch(() => null)) ?? "";
        }
      }
    }
  }

  toolbar(label: string): Locator {
    return this.page.locator(`.debug-toolbar a.action-label[aria-label^="${label}"]`);
  }
}

/** stepsOf returns the numbers of the terminal's lines with a text. */
function stepsOf(terminal: string, text: string): number[] {
  return terminal.split("\n").flatMap((line) => (line.includes(text) ? [Number(/^\s*(\d+) /.exec(line)?.[1])] : []));
}

/** clickStep clicks a number in the terminal as its user does: Ctrl and the mouse. */
async function clickStep(user: User, step: number): Promise<void> {
  const row = user.page
    .locator(".terminal-wrapper.active .xterm-rows > div", { hasText: new RegExp(`^\\s*${step}\\s`) })
    .last();
  const box = await row.boundingBox();
  assert.ok(box, `#${step} is not on the screen`);
  const cell = 8; // of the terminal's font, about; numbers are right-aligned in five columns
  const at = { x: box.x + cell * 3.5, y: box.y + box.height / 2 };
  await user.page.keyboard.down("Control");
  await user.page.mouse.move(at.x - 1, at.y);
  await user.page.mouse.move(at.x, at.y, { steps: 3 });
  await user.page
    .locator(".xterm-cursor-pointer, .xterm .xterm-underline-1, .hover-row")
    .first()
    .waitFor()
    .catch(() => {});
  await user.shot("link");
  await user.page.mouse.click(at.x, at.y);
  await user.page.keyboard.up("Control");
}

/** openTest opens the test and waits for its lens. */
export async function openTest(user: User): Promise<void> {
  const { page } = user;
  await page.locator(".monaco-workbench").waitFor();
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "machines_test.go" }).dblclick();
  await page.locator(".monaco-editor .view-lines", { hasText: "package" }).waitFor();
  await user.line(50);
  await page.locator(".codelens-decoration a", { hasText: "run with seed" }).waitFor();
}

export async function clickStory(user: User): Promise<void> {
  const { page } = user;
  await openTest(user);
  await user.shot("lens");

  // Run with a seed.
  await page.locator(".codelens-decoration a", { hasText: "run with seed" }).click();
  const input = page.locator(".quick-input-widget input");
  await input.waitFor({ state: "visible" });
  await input.fill("7");
  await user.shot("seed");
  await page.keyboard.press("Enter");
  const rows = page.locator(".terminal-wrapper.active .xterm-rows");
  const terminal = await user.text(rows, /ok\s+example\.org\/machines/, buildMs);
  assert.match(terminal, /\(1 test, seed 7\)/);
  const [clicked = 0] = stepsOf(terminal, "got a request from 11.0.0.1:10001");
  const before = stepsOf(terminal, "making a request").findLast((step) => step < clicked) ?? 0;
  assert.ok(before > 0, terminal);

  // Hints appear at the log line.
  await user.line(20);
  await user.text(page.locator(".view-lines"), /#\d+ server\/\d+ ×4/);
  await user.shot("hints");

  // Click a request.
  await clickStep(user, clicked);
  const status = await user.atStep(clicked);
  assert.match(status, /· 14:10:05\.\d\d\d · server\/\d+ · seed 7/);
  await user.arrowAt(requestLine);
  await stoppedAtTheLine(user);
  await user.shot("stopped");

  // Next and previous event, and the debugger's own step taken back.
  await user.toolbar("Next Event").click();
  await user.atStep(clicked + 1);
  await user.shot("next-event");
  await user.toolbar("Previous Event").click();
  await user.atStep(clicked);
  await user.toolbar("Step Over").click();
  await user.text(user.status(), /after #/, waitMs);
  await user.arrowAt(requestLine + 1);
  await user.shot("step-over");
  await user.toolbar("Step Back").click();
  await user.atStep(clicked);
  await user.arrowAt(requestLine);
  await stoppedAtTheLine(user);
  await user.shot("step-back");
  await clickInConsole(user, before);
  await stop(user);
}

/** stoppedAtTheLine looks for r.RemoteAddr in Variables and for machines in Call Stack. */
async function stoppedAtTheLine(user: User): Promise<void> {
  const { page } = user;
  const rows = page.locator(".debug-variables .monaco-list-row");
  const locals = rows.filter({ hasText: /^\s*Locals/ });
  await locals.first().waitFor();
  await expand(locals.first());
  const r = rows.filter({ hasText: /^\s*r\s*=\s*\*net/ }).first();
  await expand(r);
  const request = rows.filter({ hasText: /^\s*=\s*net\/http\.Request/ }).first();
  await expand(request);
  const address = rows.filter({ hasText: /^\s*RemoteAddr\s*=\s*"11\.0\.0\.1:1000\d"/ }).first();
  await request.hover();
  for (let i = 0; (await address.count()) === 0; i++) {
    assert.ok(i < 60, "r has no RemoteAddr");
    await page.mouse.wheel(0, 60);
    await page.waitForTimeout(50);
  }
  await user.text(page.locator(".debug-call-stack"), /server\/\d+/);
  await user.text(page.locator(".debug-call-stack"), /main\/\d+/);
}

/** expand opens a row of a tree; what is open stays so. */
async function expand(row: Locator): Promise<void> {
  await row.waitFor();
  if ((await row.getAttribute("aria-expanded")) === "false") {
    await row.locator(".monaco-tl-twistie").click();
  }
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
  await user.text(page.locator(".debug-call-stack"), new RegExp(`at step #${step}`, "i"));
  await user.shot("console-clicked");
}

async function stop(user: User): Promise<void> {
  await user.toolbar("Stop").click();
  await user.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
  await user.status().waitFor({ state: "hidden" });
  await user.shot("end");
}
