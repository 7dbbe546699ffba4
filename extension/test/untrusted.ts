import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { commands } from "../src/core/commands.js";
import { settings } from "../src/ui/settings.js";
import { api, file, folder, show } from "./help.js";
import type { Tests } from "./index.js";

/** nothingRan tells that neither the test nor the folder's own program was started. */
function nothingRan(): void {
  assert.equal(existsSync(join(folder(), ".restep")), false);
  assert.equal(existsSync(join(folder(), "evil-ran")), false);
}

export const untrusted: Tests = {
  "the folder's settings for programs do not count": async () => {
    const { path, buildFlags, env } = settings(file());
    assert.ok(path.endsWith("/bin/restep"), path);
    assert.deepEqual([buildFlags, env], [[], {}]);
  },

  "the server does not start": async () => {
    const { client } = await api();
    await show();
    await client.restart();
    assert.equal(client.running, false);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", file());
    assert.deepEqual(lenses ?? [], []);
    nothingRan();
  },

  "commands build and run nothing": async () => {
    const args = { uri: file().toString(), test: "TestMachines", seed: 1, step: 5, seeds: "1-2" };
    for (const command of [commands.runTest, commands.runTestWithSeed, commands.explore, commands.debug]) {
      assert.equal(await vscode.commands.executeCommand(command, args), undefined);
    }
    await vscode.commands.executeCommand(commands.goToStep, args);
    assert.equal(vscode.window.terminals.length, 0);
    assert.equal(vscode.debug.activeDebugSession, undefined);
    nothingRan();
  },

  "links from outside run nothing": async () => {
    const { links } = await api();
    await links.handleUri(
      vscode.Uri.parse("vscode://restep.restep/v1/example.org/machines?test=TestMachines&seed=1&step=5"),
    );
    assert.equal(vscode.debug.activeDebugSession, undefined);
    nothingRan();
  },
};
