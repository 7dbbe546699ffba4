// A user of one window of VS Code: what he does with mouse and keyboard, and
// what he sees. Nothing here waits for time to pass: the page is looked at with
// each of its frames until it shows what is wanted.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import type { Folders } from "./harness.js";

export const waitMs = 90_000;
/** The first build of the simulator. */
export const buildMs = 240_000;

export class User {
  private shots = 0;

  constructor(
    readonly page: Page,
    private readonly folders: Folders,
    /** Begins the names of screenshots. */
    private readonly story: string,
  ) {
    page.setDefaultTimeout(waitMs);
  }

  async shot(name: string): Promise<void> {
    this.shots++;
    const file = `${this.story}-${String(this.shots).padStart(2, "0")}-${name}.png`;
    await this.page.screenshot({ path: join(this.folders.artefacts, file) });
  }

  /** text returns what all elements show, blanks being blanks whatever their kind. */
  async text(selector: string): Promise<string> {
    return (await this.page.locator(selector).allInnerTexts()).join("\n").replace(/\u00a0/g, " ");
  }

  /** see waits until elements show some text, and returns all that they show. */
  async see(selector: string, want: RegExp, timeout = waitMs): Promise<string> {
    const look = ([css, source, flags]: [string, string, string]) => {
      // biome-ignore lint/performance/useDomNodeTextContent: line breaks are wanted, hidden text is not
      const all = [...document.querySelectorAll<HTMLElement>(css)].map((e) => e.innerText);
      const text = all.join("\n").replace(/\u00a0/g, " ");
      return new RegExp(source, flags).test(text) && { text };
    };
    try {
      const found = await this.page.waitForFunction(
        look,
        [selector, want.source, want.flags] as [string, string, string],
        { timeout },
      );
      return ((await found.jsonValue()) as { text: string }).text;
    } catch (e) {
      assert.fail(`${want} does not appear in ${selector}:\n${await this.text(selector)}\n${String(e)}`);
    }
  }

  /** frame waits for the next frame of the page. */
  async frame(): Promise<void> {
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  }

  /** line puts the cursor into a line of the editor. */
  async line(number: number): Promise<void> {
    await this.page.keyboard.press("Control+1"); // the editors of the first group
    await this.page.locator(".editor-instance .monaco-editor.focused").first().waitFor();
    await this.page.keyboard.press("Control+g");
    const input = this.page.locator(".quick-input-widget input");
    await input.waitFor({ state: "visible" });
    await input.fill(`:${number}`);
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
    await this.see('[id="status.editor.selection"]', new RegExp(`Ln ${number},`));
  }

  /** command runs a command of the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    const input = this.page.locator(".quick-input-widget input");
    await input.waitFor({ state: "visible" });
    await input.fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row.focused", { hasText: title }).waitFor();
    await this.page.keyboard.press("Enter");
  }

  /** show opens a file from the explorer. */
  async show(file: string): Promise<void> {
    await this.page.locator(".monaco-workbench").waitFor();
    await this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: file }).dblclick();
    await this.page.locator(".tabs-container .tab.active", { hasText: file }).waitFor();
    await this.page.locator(".monaco-editor .view-lines", { hasText: "package" }).waitFor();
  }

  /** lens returns a code lens. */
  lens(title: string | RegExp): Locator {
    return this.page.locator(".codelens-decoration a", { hasText: title });
  }

  static readonly statusBar = '[id="restep.restep.restep.step"], [id="restep.restep.step"]';

  /** atStep waits until the run is stopped right before an event. */
  async atStep(step: number): Promise<string> {
    return this.see(User.statusBar, new RegExp(`^\\s*#${step} · \\d`), buildMs);
  }

  /** arrowAt waits until the arrow of the debugger stands at a line of the editor. */
  async arrowAt(line: number): Promise<void> {
    const look = (want: string) => {
      const editor = document.querySelector(".editor-instance .monaco-editor");
      const arrow = editor?.querySelector(".codicon-debug-stackframe")?.getBoundingClientRect();
      for (const number of editor?.querySelectorAll(".margin-view-overlays .line-numbers") ?? []) {
        const box = number.getBoundingClientRect();
        if (arrow && Math.abs(box.y + box.height / 2 - arrow.y - arrow.height / 2) < 5) {
          return number.textContent === want;
        }
      }
      return false;
    };
    await this.page.waitForFunction(look, String(line)).catch((e) => assert.fail(`no arrow at line ${line}: ${e}`));
  }

  /** press clicks an action of the debug toolbar. */
  async press(label: string): Promise<void> {
    const { page } = this;
    // The toolbar belongs to a program that is stopped, not to one that will be.
    await page.locator(".debug-toolbar a.codicon-debug-continue:not(.disabled)").waitFor();
    const action = page.locator(`.debug-toolbar a.action-label[aria-label^="${label}"]:not(.disabled)`);
    await action.waitFor();
    await action.click();
  }

  /**
   * expand opens a row of a tree until a row below it is there. The tree opens
   * rows by itself after each stop, and a click in that moment closes them.
   */
  async expand(row: Locator, child: Locator): Promise<void> {
    await row.waitFor();
    for (let i = 0; (await child.count()) === 0; i++) {
      assert.ok(i < 20, "a row of the tree cannot be opened");
      if ((await row.getAttribute("aria-expanded")) === "false") {
        await row.locator(".monaco-tl-twistie").click();
      }
      await child.waitFor({ timeout: 5000 }).catch(() => {});
    }
  }

  /** notification waits for a message of the editor. */
  async notification(text: RegExp): Promise<void> {
    await this.page.locator(".notification-list-item", { hasText: text }).first().waitFor();
  }
}
