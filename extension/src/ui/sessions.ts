// Debug sessions of type restep: where each is, and how to go elsewhere.

import { isAbsolute } from "node:path";
import * as vscode from "vscode";
import { readSeed } from "../core/commands.js";
import { jumpCommand, type Step, type StepsArguments, type StepsBody, stepsCommand } from "../core/dapExt.js";
import { isProcesses } from "../core/launch.js";
import { Position } from "../core/position.js";
import { packageOf } from "./settings.js";

/** A run, as commands and links name it. */
export interface Target {
  /** Folder or import path. */
  readonly program: string;
  readonly cwd?: string | undefined;
  readonly test: string;
  readonly seed: string;
  /** How the run is scheduled, as in its link; absent for the usual way. */
  readonly variant?: string | undefined;
}

/** Session is one debugged run. */
export class Session {
  readonly position = new Position();
  /** The step that the position names, when it is known. */
  current: Step | undefined;
  total: number | undefined;
  private queue: Promise<void> = Promise.resolve();

  constructor(readonly debug: vscode.DebugSession) {}

  get test(): string {
    return String(this.debug.configuration["test"] ?? "");
  }

  get seed(): string {
    return readSeed(this.debug.configuration["seed"]) ?? "1";
  }

  /** What the language server is told: the run, and the step that the session is at. */
  get debuggedAt(): object | undefined {
    const { step, state } = this.position;
    if (step === undefined || state !== "stopped") {
      return undefined;
    }
    const variant: unknown = this.debug.configuration["variant"];
    const { package: path, test, seed } = this;
    return { package: path, test, seed, ...(typeof variant === "string" && variant !== "" ? { variant } : {}), step };
  }

  get package(): string {
    return packageName(String(this.debug.configuration["program"] ?? ""));
  }

  /** shows tells whether the session is about a run. */
  shows(t: Target): boolean {
    const test = (name: string) => name.split("/")[0];
    return (
      test(this.test) === test(t.test) &&
      this.seed === t.seed &&
      this.debug.configuration["variant"] === t.variant &&
      this.package === packageName(t.program)
    );
  }

  async steps(args: StepsArguments): Promise<StepsBody> {
    return (await this.debug.customRequest(stepsCommand, args)) as StepsBody;
  }

  /** jump goes to a step. */
  jump(step: number): Promise<void> {
    return this.enqueue(() => this.jumpNow(step));
  }

  next(): Promise<void> {
    return this.enqueue(async () => {
      const step = this.position.next();
      if (step !== undefined && this.total !== undefined && step > this.total) {
        throw new Error(`restep: #${this.total} is the last event of the run`);
      }
      await this.move(step, "next");
    });
  }

  previous(): Promise<void> {
    return this.enqueue(async () => {
      const step = this.position.previous();
      if (step === undefined && this.position.step !== undefined) {
        throw new Error("restep: this is the first event of the run");
      }
      await this.move(step, "previous");
    });
  }

  private async move(step: number | undefined, which: string): Promise<void> {
    if (step === undefined) {
      throw new Error(`restep: there is no ${which} event while the program is not stopped at one`);
    }
    await this.jumpNow(step);
  }

  private async jumpNow(step: number): Promise<void> {
    if (this.position.state === "running") {
      const stop = this.position.nextStop();
      stop.catch(() => {});
      await this.debug.customRequest("pause", { threadId: 1 });
      await stop;
    }
    const stop = this.position.nextStop();
    stop.catch(() => {});
    await this.debug.customRequest(jumpCommand, { step });
    await stop;
  }

  /** enqueue lets one movement end before the next begins. */
  private enqueue(move: () => Promise<void>): Promise<void> {
    const done = this.queue.then(move);
    this.queue = done.catch(() => {});
    return done;
  }
}

function packageName(program: string): string {
  return isAbsolute(program) ? (packageOf(program) ?? program) : program;
}

/** Sessions holds all sessions of this window. */
export class Sessions implements vscode.Disposable {
  private readonly all = new Map<string, Session>();
  private readonly changed = new vscode.EventEmitter<Session>();
  private readonly disposables: vscode.Disposable[] = [this.changed];
  /** Fires when a session has moved or ended. */
  readonly onDidChange = this.changed.event;

  constructor() {
    this.disposables.push(
      vscode.debug.registerDebugAdapterTrackerFactory("restep", {
        // Real programs have no steps.
        createDebugAdapterTracker: (debug) => (isProcesses(debug.configuration) ? undefined : this.track(debug)),
      }),
      vscode.debug.onDidTerminateDebugSession((debug) => {
        const session = this.all.get(debug.id);
        this.all.delete(debug.id);
        if (session) {
          session.position.end("the session has ended");
          this.changed.fire(session);
        }
      }),
      vscode.debug.onDidChangeActiveDebugSession((debug) => {
        const real = debug?.type === "restep" && isProcesses(debug.configuration);
        void vscode.commands.executeCommand("setContext", "restep.processes", real);
        const session = this.active();
        if (session) {
          this.changed.fire(session);
        }
      }),
    );
  }

  private track(debug: vscode.DebugSession): vscode.DebugAdapterTracker {
    const session = new Session(debug);
    this.all.set(debug.id, session);
    return {
      onWillReceiveMessage: (message) => session.position.toAdapter(message),
      onDidSendMessage: (message) => {
        if (session.position.toEditor(message)) {
          void this.moved(session);
        }
      },
    };
  }

  /** moved asks what the step is that the session has come to. */
  private async moved(session: Session): Promise<void> {
    const { step } = session.position;
    session.current = undefined;
    if (step !== undefined && session.position.state === "stopped") {
      try {
        const answer = await session.steps({ from: step, count: 1 });
        session.total = answer.total;
        if (session.position.step === step) {
          session.current = answer.steps.find((s) => s.step === step);
        }
      } catch {
        // The session is ending; the status bar shows the number alone.
      }
    }
    this.changed.fire(session);
  }

  /** active returns the session that the user looks at. */
  active(): Session | undefined {
    const id = vscode.debug.activeDebugSession?.id;
    return (id === undefined ? undefined : this.all.get(id)) ?? [...this.all.values()].at(-1);
  }

  /** stopAll ends all sessions, and waits until VS Code has forgotten them. */
  async stopAll(): Promise<void> {
    for (const session of [...this.all.values()]) {
      await vscode.debug.stopDebugging(session.debug);
    }
  }

  of(id: string): Session | undefined {
    return this.all.get(id);
  }

  /** find returns the session about a run, the active one first. */
  find(target: Target): Session | undefined {
    const active = this.active();
    return active?.shows(target) ? active : [...this.all.values()].find((s) => s.shows(target));
  }

  dispose(): void {
    for (const d of this.disposables) {
      d.dispose();
    }
  }
}
