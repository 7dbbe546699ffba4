// Runs restep test in a terminal of ours, which knows what it runs.

import { type ChildProcess, spawn } from "node:child_process";
import * as vscode from "vscode";
import { quote } from "../core/cmdline.js";
import { type LineStore, Tracker } from "../core/tracker.js";
import { binary } from "./settings.js";

const bold = "\u001b[1m";
const normal = "\u001b[0m";

/** A terminal that shows one command after the other. */
class Console implements vscode.Pseudoterminal {
  private readonly written = new vscode.EventEmitter<string>();
  private readonly closed = new vscode.EventEmitter<number | undefined>();
  readonly onDidWrite = this.written.event;
  readonly onDidClose = this.closed.event;
  private readonly opened: Promise<void>;
  private isOpen: () => void = () => {};
  private child: ChildProcess | undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.isOpen = resolve;
    });
  }

  open(): void {
    this.isOpen();
  }

  close(): void {
    this.child?.kill("SIGTERM");
    this.isOpen();
  }

  handleInput(data: string): void {
    if (data === "\u0003") {
      this.child?.kill("SIGINT");
    }
  }

  get busy(): boolean {
    return this.child !== undefined;
  }

  /** run shows a command and returns its exit code, -1 when it did not start. */
  async run(command: string, args: readonly string[], cwd: string, tracker: Tracker): Promise<number> {
    await this.opened;
    this.write(`${bold}$ ${quote(["restep", ...args])}${normal}\n`);
    const child = spawn(command, [...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      tracker.feed(text);
      this.write(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.write(text));
    const code = await new Promise<number>((resolve) => {
      child.once("error", (e) => {
        this.write(`restep: start ${command}: ${e.message}\n`);
        resolve(-1);
      });
      child.once("close", (status) => resolve(status ?? -1));
    });
    this.child = undefined;
    this.write("\n");
    return code;
  }

  private write(text: string): void {
    this.written.fire(text.replace(/\r?\n/g, "\r\n"));
  }
}

/** Runner keeps terminals for runs. */
export class Runner implements vscode.Disposable {
  private readonly terminals = new Map<vscode.Terminal, Console>();
  private readonly listener: vscode.Disposable;

  constructor(private readonly lines: LineStore) {
    this.listener = vscode.window.onDidCloseTerminal((t) => this.terminals.delete(t));
  }

  /** owns tells whether a terminal shows runs of ours. */
  owns(terminal: vscode.Terminal): boolean {
    return this.terminals.has(terminal);
  }

  /** run runs restep with these arguments in a package's folder and returns its exit code. */
  run(args: readonly string[], dir: string): Promise<number> {
    const command = binary();
    let entry = [...this.terminals].find(([, console]) => !console.busy);
    if (!entry) {
      const pty = new Console();
      const terminal = vscode.window.createTerminal({ name: "restep", pty, iconPath: new vscode.ThemeIcon("beaker") });
      entry = [terminal, pty];
      this.terminals.set(terminal, pty);
    }
    entry[0].show(true);
    return entry[1].run(command, args, dir, new Tracker(this.lines, dir, dir));
  }

  dispose(): void {
    this.listener.dispose();
    for (const terminal of this.terminals.keys()) {
      terminal.dispose();
    }
  }
}

/** trackShells reads what users run themselves, where the shell tells VS Code about it. */
export function trackShells(
  lines: LineStore,
  typed: (line: string, cwd: string) => string | undefined,
): vscode.Disposable {
  return vscode.window.onDidStartTerminalShellExecution((e) => {
    const cwd = e.execution.cwd?.fsPath ?? e.shellIntegration.cwd?.fsPath;
    const dir = cwd && typed(e.execution.commandLine.value, cwd);
    if (dir) {
      void follow(e.execution.read(), new Tracker(lines, dir));
    }
  });
}

async function follow(output: AsyncIterable<string>, tracker: Tracker): Promise<void> {
  for await (const text of output) {
    tracker.feed(text);
  }
}
