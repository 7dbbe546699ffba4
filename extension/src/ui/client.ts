// The language server: restep lsp, next to gopls. It runs in trusted
// workspaces only, because it reads modules with the go command.

import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, RevealOutputChannelOn, State } from "vscode-languageclient/node";
import { commands } from "../core/commands.js";
import { binary, complain, settings } from "./settings.js";

export class Client implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private work: Promise<void> = Promise.resolve();
  private readonly output = vscode.window.createOutputChannel("restep", { log: true });
  private readonly disposables: vscode.Disposable[] = [this.output];

  constructor() {
    this.disposables.push(
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.restart()),
      vscode.workspace.onDidChangeConfiguration((e) => {
        if (e.affectsConfiguration("restep.path")) {
          void this.restart();
        }
      }),
    );
  }

  get running(): boolean {
    return this.client?.state === State.Running;
  }

  showLog(): void {
    this.output.show();
  }

  /** restart starts the server anew, or for the first time; it is done when the server answers. */
  restart(): Promise<void> {
    this.work = this.work.then(
      () => this.startNow(),
      () => this.startNow(),
    );
    return this.work;
  }

  private async startNow(): Promise<void> {
    await this.stopNow();
    if (!vscode.workspace.isTrusted) {
      return;
    }
    try {
      const client = new LanguageClient("restep", "restep", { command: binary(), args: ["lsp"] }, this.options());
      this.client = client;
      await client.start();
    } catch (e) {
      complain(e);
    }
  }

  private options(): LanguageClientOptions {
    const { tests, buildFlags, env } = settings();
    return {
      documentSelector: [{ scheme: "file", language: "go" }],
      initializationOptions: {
        tests,
        buildFlags,
        env,
        clientCommands: Object.values(commands),
        linkPrefix: `${vscode.env.uriScheme}://restep.restep/v1/`,
      },
      synchronize: { configurationSection: "restep" },
      outputChannel: this.output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      markdown: { isTrusted: false, supportHtml: false },
    };
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.dispose(2000).catch(() => {});
  }

  /** command has the server execute one of its commands; undefined without a server. */
  async command(command: string, args: unknown[]): Promise<unknown> {
    return this.running
      ? this.client?.sendRequest("workspace/executeCommand", { command, arguments: args })
      : undefined;
  }

  async stop(): Promise<void> {
    await this.work.catch(() => {});
    await this.stopNow();
  }

  dispose(): void {
    void this.stopNow();
    for (const d of this.disposables) {
      d.dispose();
    }
  }
}
