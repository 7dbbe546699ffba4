// A program under test that writes what would be markup, a link, a command or
// a control sequence somewhere: in the terminal, hints, hovers, the debug
// console, Variables and the status bar it is text.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stop } from "./click.js";
import { type Folders, goMod } from "./harness.js";
import { clickStep, terminalRows } from "./terminal.js";
import { buildMs, User } from "./user.js";

const lines = [
  `<img src=x onerror="document.title='pwned';window.pwned=1"><script>window.pwned=1</script>`,
  "[click](command:workbench.action.closeAllEditors) ![i](https://evil.example/i.png) <a href=command:a>b</a>",
  "\u001b]0;pwned\u0007\u001b]2;pwned\u001b\\title",
  "\u001b]52;c;cHduZWQ=\u0007clipboard",
  "\u001b]8;;command:workbench.action.closeAllEditors\u001b\\over here\u001b]8;;\u001b\\",
  "\u001b]633;P;Cwd=/pwned\u0007\u001b]1337;File=inline=1:cHduZWQ=\u0007shell",
  "\u001b[2J\u001b[H\u001b[?1049h\u001b[8mhidden\u001b[31m",
  "\u009b2J\u009d0;pwned\u009c C1",
  "```\n# heading\n--- PASS: TestOther (0.00s)",
  "$(bug) $(sync~spin) \u202egnp.exe",
  "last of all",
];

/** goString writes a string of Go's, all but plain characters escaped. */
function goString(text: string): string {
  const written = (c: string) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  return `"${text.replace(/["\\]|[^ -~]/g, written)}"`;
}

/** hostileFolder makes a module with a test that logs all that. */
export function hostileFolder(folders: Folders): string {
  const folder = join(folders.root, "hostile");
  mkdirSync(folder);
  writeFileSync(join(folder, "go.mod"), goMod("example.org/hostile"));
  const file = `package hostile

import (
	"log"
	"testing"

	"github.com/restep/restep/sim"
)

var evil = []string{
${lines.map((l) => `\t${goString(l)},`).join("\n")}
}

func TestHostile(t *testing.T) {
	sim.IsSim()
	for _, text := range evil {
		log.Print(text)
	}
}
`;
  writeFileSync(join(folder, "hostile_test.go"), file);
  return folder;
}

const logLine = 16 + lines.length;

/** unchanged looks at all that the program wanted to change. */
async function unchanged(user: User): Promise<void> {
  const { page } = user;
  assert.doesNotMatch(await page.title(), /pwned/);
  const found = await page.evaluate(() => ({
    pwned: "pwned" in window,
    elements: [
      ...document.querySelectorAll('img[src="x"], img[src*="evil"], [href^="command:"], [data-href^="command:"]'),
    ]
      .filter((e) => e.closest(".repl, .xterm, .monaco-hover, .debug-view, .part.statusbar"))
      .map((e) => e.outerHTML),
  }));
  assert.deepEqual(found, { pwned: false, elements: [] });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "what was there");
  await page.locator(".tabs-container .tab", { hasText: "hostile_test.go" }).waitFor();
  assert.equal(await page.locator(".notification-list-item").count(), 0, "a message appears");
}

/** seeScrolled goes to an end of the terminal and waits for texts. */
async function seeScrolled(user: User, key: string, texts: readonly string[]): Promise<void> {
  const box = await user.page.locator(terminalRows).boundingBox();
  assert.ok(box);
  await user.page.mouse.click(box.x + box.width - 20, box.y + box.height / 2);
  await user.page.keyboard.press(key);
  for (const text of texts) {
    await user.see(terminalRows, new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")));
  }
}

export async function hostileStory(user: User): Promise<void> {
  const { page } = user;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await user.show("hostile_test.go");
  await page.evaluate(() => navigator.clipboard.writeText("what was there"));
  await user.line(logLine);
  await user.lens("run seed 1").click();

  // The terminal: every line is there, none has gone or made another.
  const terminal = await user.see(terminalRows, /ok\s+example\.org\/hostile/, buildMs);
  await seeScrolled(user, "Shift+Home", ["]52;c;", "]0;pwned", "[click](command:", "<img src=x onerror="]);
  await unchanged(user);
  await seeScrolled(user, "Shift+End", ["last of all", "hidden", "]1337;"]);
  assert.doesNotMatch(terminal, /^--- PASS: TestOther/m);
  const [step = 0] = terminal
    .split("\n")
    .flatMap((l) => (l.includes("last of all") ? [Number(/\d+/.exec(l)?.[0])] : []));
  await user.shot("terminal");
  await unchanged(user);

  // The hover is one table of text.
  await user.see(".view-lines", new RegExp(`#\\d+ main/\\d+ ×${lines.length}`));
  await user.line(logLine);
  await page.keyboard.press("End");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+i");
  const hover = await user.see(".monaco-hover", /last of all/);
  assert.ok(hover.includes("<img src=x") && hover.includes("[click](command:"), hover);
  assert.equal(await page.locator(".monaco-hover .hover-contents a").count(), 0);
  assert.equal(await page.locator(".monaco-hover .hover-contents img").count(), 0);
  await user.shot("hover");
  await unchanged(user);
  await page.keyboard.press("Escape");

  // Debug console, Variables and the status bar.
  await clickStep(user, step, "link");
  await user.atStep(step);
  await user.arrowAt(logLine);
  // The console shows its last lines. What it holds above them is not drawn.
  const console = await user.see(".repl", /last of all/);
  assert.ok(console.includes("\\x1b]8;;command:") && console.includes("$(bug) $(sync~spin)"), console);
  const rows = page.locator(".debug-variables .monaco-list-row");
  await user.expand(rows.filter({ hasText: /^\s*Locals/ }).first(), rows.filter({ hasText: /^\s*text\s*=/ }).first());
  await user.see(".debug-variables", /text =\s+"last of all"/);
  await page.locator(User.statusBar).hover();
  await user.see(".monaco-hover", /last of all/);
  await user.shot("debugger");
  await unchanged(user);
  await stop(user);
}
