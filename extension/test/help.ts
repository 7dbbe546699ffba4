// What the tests in the extension host share.

import assert from "node:assert/strict";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Api } from "../src/extension.js";

/** eventually waits until a condition holds, by events where there are some. */
export async function eventually<T>(
  what: string,
  get: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 90_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const got = await get();
    if (got !== undefined && got !== false) {
      return got as T;
    }
    assert.ok(Date.now() < end, `${what}: not within ${ms} ms`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export function folder(): string {
  const path = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  assert.ok(path);
  return path;
}

export const file = (): vscode.Uri => vscode.Uri.file(join(folder(), "machines_test.go"));

export async function api(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>("restep.restep");
  assert.ok(extension);
  return extension.activate();
}

export async function show(): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file()));
}
