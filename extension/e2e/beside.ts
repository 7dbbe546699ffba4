// restep, the Go extension and gopls in one window: nothing of them is
// duplicated, hidden or taken over.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openTest, runWithSeed } from "./click.js";
import { extension, type Folders, repository } from "./harness.js";
import type { User } from "./user.js";

/** gopls installs the real one and returns its program. */
export function gopls(): string {
  const out = execFileSync(join(repository, ".ci", "gopls.sh"), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return out.trim().split("\n").at(-1) ?? "";
}

const manifest = {
  name: "go",
  publisher: "golang",
  version: "0.0.1",
  engines: { vscode: "^1.100.0" },
  main: "./main.js",
  activationEvents: ["onLanguage:go", "onDebugInitialConfigurations"],
  contributes: {
    breakpoints: [{ language: "go" }],
    debuggers: [
      { type: "go", label: "Go", languages: ["go"], configurationAttributes: { launch: { properties: {} } } },
    ],
    commands: [
      { command: "go.test.cursor", title: "Test Function At Cursor", category: "Go" },
      { command: "go.debug.cursor", title: "Debug Test At Cursor", category: "Go" },
    ],
  },
};

/** packGo makes the stand-in for the Go extension and returns its file. */
export function packGo(folders: Folders): string {
  const [dir, file] = [join(folders.root, "go-extension"), join(folders.root, "go.vsix")];
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "package.json"), JSON.stringify({ ...manifest, gopls: gopls() }));
  cpSync(join(extension, "out", "e2e", "go-extension.js"), join(dir, "main.js"));
  const vsce = join(extension, "..", "node_modules", ".bin", "vsce");
  const args = ["package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "--out", file];
  execFileSync(vsce, args, { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
  return file;
}

export async function besideGo(user: User): Promise<void> {
  const { page } = user;
  await openTest(user);
  const once = ["run test", "debug test", "run seed 1", "run with seed…", "explore 1–100", "debug"];
  for (const title of once) {
    await user.lens(new RegExp(`^${title}$`)).waitFor();
  }
  const lenses = await page.locator(".codelens-decoration a").allInnerTexts();
  assert.deepEqual(lenses.filter((t) => once.includes(t)).sort(), [...once].sort());
  // The Go extension's test keeps its mark beside the line, and is the only one.
  await page.locator('.glyph-margin-widgets [class*="testing-run"]').first().waitFor();
  assert.equal(await page.locator('.glyph-margin-widgets [class*="testing-run"]').count(), 1);
  await user.shot("lenses");

  // Hints of both, after a run.
  await runWithSeed(user, 7);
  await user.line(20);
  const text = await user.see(".view-lines", /format:.*"got a request[^\n]*#\d+ server\/\d+ ×4/);
  assert.equal(text.match(/ ×4/g)?.length, text.match(/#\d+ \S+ ×4/g)?.length, text);
  await user.shot("hints");

  // One hover with the documentation and the table.
  await user.line(21);
  await page.keyboard.press("Control+ArrowRight"); // to log
  await page.keyboard.press("Control+ArrowRight"); // to Printf
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+i");
  await user.see(".monaco-hover", /func log\.Printf/);
  const hover = await user.see(".monaco-hover", /4 steps of TestMachines, seed 7/);
  assert.equal(hover.match(/func log\.Printf/g)?.length, 1, hover);
  assert.equal(hover.match(/steps of TestMachines/g)?.length, 1, hover);
  await user.shot("hover");
  await page.keyboard.press("Escape");

  // F5 is the Go extension's, without a question which debugger is meant.
  await page.keyboard.press("F5");
  await user.notification(/the Go extension: F5/);
  assert.equal(await page.locator(".quick-input-widget").isVisible(), false);
  await user.shot("f5");
  assert.equal(await page.locator(".debug-toolbar").isVisible(), false);
}
