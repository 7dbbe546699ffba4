// Debug type restep: its configurations and its adapter.

import { dirname, isAbsolute } from "node:path";
import * as vscode from "vscode";
import { Adapter } from "../core/adapter.js";
import { testAt } from "../core/gotest.js";
import { isProcesses, type LaunchConfig, type LaunchContext, resolveLaunch, resolveProcesses } from "../core/launch.js";
import type { Sessions, Target } from "./sessions.js";
import { binary, complain, settings, trusted } from "./settings.js";

/** Configurations are completed from the active editor and the settings. */
class Configurations implements vscode.DebugConfigurationProvider {
  resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration | undefined {
    if (!trusted()) {
      return undefined; // the editor asks by itself; others may call this
    }
    try {
      const resolve = isProcesses(config) ? resolveProcesses : resolveLaunch;
      return resolve(config, launchContext(folder));
    } catch (e) {
      complain(e);
      return undefined;
    }
  }
}

function launchContext(folder: vscode.WorkspaceFolder | undefined): LaunchContext {
  const editor = vscode.window.activeTextEditor;
  const go = editor?.document.languageId === "go" && editor.document.uri.scheme === "file" ? editor : undefined;
  const test = go && testAt(go.document.getText(), go.selection.active.line);
  const dir = (folder ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath;
  const { env, buildFlags } = settings(go?.document.uri ?? folder?.uri);
  return {
    env,
    buildFlags,
    ...(dir === undefined ? {} : { folder: dir }),
    ...(go ? { activeDir: dirname(go.document.uri.fsPath) } : {}),
    ...(test === undefined ? {} : { activeTest: test }),
  };
}

/** An adapter that lives in the extension host and passes messages to restep dap. */
class InlineAdapter implements vscode.DebugAdapter {
  private readonly sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
  readonly onDidSendMessage = this.sent.event;
  private readonly adapter: Adapter;

  constructor(command: string, cwd: string | undefined, clicked: (step: number) => void) {
    const send = (message: object) => this.sent.fire(message);
    this.adapter = new Adapter({ command, args: ["dap"], cwd, send, clicked });
  }

  handleMessage(message: vscode.DebugProtocolMessage): void {
    this.adapter.handle(message as Parameters<Adapter["handle"]>[0]);
  }

  dispose(): void {
    this.adapter.dispose();
    this.sent.dispose();
  }
}

class Adapters implements vscode.DebugAdapterDescriptorFactory {
  constructor(private readonly sessions: Sessions) {}

  createDebugAdapterDescriptor(debug: vscode.DebugSession): vscode.DebugAdapterDescriptor {
    const config = debug.configuration as unknown as Partial<LaunchConfig>;
    const cwd = typeof config.cwd === "string" && isAbsolute(config.cwd) ? config.cwd : undefined;
    const clicked = (step: number) => {
      this.sessions.of(debug.id)?.jump(step).catch(complain);
    };
    return new vscode.DebugAdapterInlineImplementation(new InlineAdapter(binary(), cwd, clicked));
  }
}

export function registerDebug(sessions: Sessions): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.debug.registerDebugConfigurationProvider("restep", new Configurations()),
    vscode.debug.registerDebugAdapterDescriptorFactory("restep", new Adapters(sessions)),
  );
}

/**
 * startDebugging opens a run, at a step if there is one, else at the first step
 * of the test's own code. It takes the place of the sessions that are there:
 * VS Code would keep showing the older one, and a click brings that back
 * exactly where it was.
 */
export async function startDebugging(sessions: Sessions, target: Target, step: number | undefined): Promise<void> {
  await sessions.stopAll();
  const uri = isAbsolute(target.program) ? vscode.Uri.file(target.program) : undefined;
  const folder = (uri && vscode.workspace.getWorkspaceFolder(uri)) ?? vscode.workspace.workspaceFolders?.[0];
  const config = {
    type: "restep",
    request: "launch",
    name: `${target.test} seed ${target.seed}`,
    program: target.program,
    test: target.test,
    seed: target.seed,
    ...(target.variant === undefined ? {} : { variant: target.variant }),
    ...(target.cwd === undefined ? {} : { cwd: target.cwd }),
    ...(step === undefined ? { stopOnEntry: true } : { step }),
  };
  if (!(await vscode.debug.startDebugging(folder, config))) {
    throw new Error(
      `restep: ${target.test} with seed ${target.seed} could not be debugged; the debug console says why`,
    );
  }
}

/** goTo takes a session about the run to a step, or starts one there. */
export async function goTo(sessions: Sessions, target: Target, step: number): Promise<void> {
  const session = sessions.find(target);
  if (session) {
    await session.jump(step);
  } else {
    await startDebugging(sessions, target, step);
  }
}
