// The status bar item: "#104 · 14:10:04.000 · server/21 · seed 1".

import * as vscode from "vscode";
import { commands } from "../core/commands.js";
import { escapeMarkdown, statusText } from "../core/status.js";
import type { Sessions } from "./sessions.js";

export function registerStatus(sessions: Sessions): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("restep.step", vscode.StatusBarAlignment.Left, 50);
  item.name = "restep: Step";
  item.command = commands.goToStep;
  const show = () => {
    const session = sessions.active();
    const step = session?.position.step;
    if (session?.position.state !== "stopped" || step === undefined) {
      item.hide();
      return;
    }
    const { current } = session;
    item.text = current
      ? statusText(current, session.position.atStep, session.seed)
      : `#${step} · seed ${session.seed}`;
    const of = session.total === undefined ? "" : ` of ${session.total}`;
    const what = current ? `\n\n${escapeMarkdown(current.kind)}: ${escapeMarkdown(current.text)}` : "";
    item.tooltip = new vscode.MarkdownString(`${escapeMarkdown(session.test)}, event #${step}${of}${what}`);
    item.show();
  };
  return vscode.Disposable.from(item, sessions.onDidChange(show));
}
