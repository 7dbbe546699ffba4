// The extension's entry: it only puts the parts together.

import * as vscode from "vscode";
import { typedTest } from "./core/cmdline.js";
import { LineStore } from "./core/tracker.js";
import { Client } from "./ui/client.js";
import { registerCommands } from "./ui/commands.js";
import { registerDebug } from "./ui/debug.js";
import { Links } from "./ui/links.js";
import { Runner, trackShells } from "./ui/runner.js";
import { Sessions } from "./ui/sessions.js";
import { registerStatus } from "./ui/status.js";

let client: Client | undefined;

/** What in-host tests may look at. */
export interface Api {
  readonly client: Client;
  readonly sessions: Sessions;
  readonly links: Links;
}

export function activate(context: vscode.ExtensionContext): Api {
  const lines = new LineStore();
  const sessions = new Sessions();
  const runner = new Runner(lines);
  const links = new Links(sessions, lines, runner);
  client = new Client();
  context.subscriptions.push(
    client,
    sessions,
    runner,
    trackShells(lines, typedTest),
    registerDebug(sessions),
    registerCommands({ sessions, runner, client }),
    registerStatus(sessions),
    vscode.window.registerTerminalLinkProvider(links),
    vscode.window.registerUriHandler(links),
  );
  const { onDidChange } = sessions;
  context.subscriptions.push(
    onDidChange((session) => {
      const at = session.debuggedAt;
      if (at && session === sessions.active()) {
        client?.command("restep.debuggedAt", [at]).catch(() => {}); // lenses are then what they were
      }
    }),
  );
  void client.restart();
  return { client, sessions, links };
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
