// Tests inside the extension host of a real VS Code. The window opens the
// machines case; which tests run depends on whether the folder is trusted.

import * as vscode from "vscode";
import { trusted } from "./trusted.js";
import { untrusted } from "./untrusted.js";

export type Tests = Record<string, () => Promise<void>>;

export async function run(): Promise<void> {
  const tests = vscode.workspace.isTrusted ? trusted : untrusted;
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    const started = Date.now();
    try {
      await test();
      console.log(`ok   ${name} (${Date.now() - started} ms)`);
    } catch (e) {
      failed++;
      console.log(`FAIL ${name}: ${e instanceof Error ? e.stack : String(e)}`);
    }
  }
  if (failed > 0) {
    throw new Error(`${failed} of ${Object.keys(tests).length} tests failed`);
  }
}
