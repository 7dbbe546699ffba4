// The terminal as its user sees it.

import assert from "node:assert/strict";
import type { User } from "./user.js";

export const terminalRows = ".terminal-wrapper.active .xterm-rows";

/** stepsOf returns the numbers of the terminal's lines with a text. */
export function stepsOf(terminal: string, text: string): number[] {
  return terminal.split("\n").flatMap((line) => (line.includes(text) ? [Number(/^\s*(\d+) /.exec(line)?.[1])] : []));
}

/** stepAt returns the middle of the number that begins the last line of a step. */
async function stepAt(user: User, step: number): Promise<{ x: number; y: number }> {
  const find = ([rows, number]: [string, string]) => {
    for (const row of [...document.querySelectorAll(`${rows} > div`)].reverse()) {
      if (row.textContent?.trim().split(/\s/)[0] !== number) {
        continue;
      }
      const walk = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
      for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const at = node.textContent?.indexOf(number) ?? -1;
        if (at >= 0) {
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + number.length);
          const { x, y, width, height } = range.getBoundingClientRect();
          return { x: x + width / 2, y: y + height / 2 };
        }
      }
    }
    return undefined;
  };
  const at = await user.page.evaluate(find, [terminalRows, String(step)] as [string, string]);
  assert.ok(at, `#${step} is not on the screen`);
  return at;
}

/** clickStep clicks a number in the terminal as its user does: Ctrl and the mouse. It returns when that was. */
export async function clickStep(user: User, step: number, shot?: string): Promise<number> {
  const { page } = user;
  const at = await stepAt(user, step);
  const link = page.locator(".terminal-wrapper.active .xterm-cursor-pointer").first();
  await page.keyboard.down("Control");
  // Each movement asks for links again: the first comes while the terminal may still be drawn.
  for (let i = 0; (await link.count()) === 0; i++) {
    assert.ok(i < 1000, `#${step} is no link`);
    await page.mouse.move(at.x + (i % 2), at.y);
    await user.frame();
  }
  if (shot !== undefined) {
    await user.shot(shot);
  }
  await page.mouse.down();
  const clicked = performance.now();
  await page.mouse.up();
  await page.keyboard.up("Control");
  return clicked;
}
