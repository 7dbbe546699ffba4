// Where a debugged run is, from the messages between editor and adapter.

import type { DebugProtocol } from "@vscode/debugprotocol";

/** A request that let the program run, to be made again. */
export interface Resume {
  readonly command: string;
  readonly arguments: unknown;
}

/** How to get back to where one was before the last step of the debugger. */
export interface BackPlan {
  /** Go there first. */
  readonly step: number;
  /** Then make these requests again. */
  readonly again: readonly Resume[];
}

/** isAtStep tells whether the program stands right before an event; the adapter's description says so. */
function isAtStep(body: DebugProtocol.StoppedEvent["body"]): boolean {
  return (body.description ?? "").startsWith("at step #");
}

const resumes = new Set(["next", "stepIn", "stepOut", "continue"]);

export class Position {
  state: "starting" | "stopped" | "running" | "ended" = "starting";
  /** The step that comes next (at it), or the last that was made (not at it). */
  step: number | undefined;
  /** The program stands right before the event. */
  atStep = false;

  private anchor: number | undefined; // the last step that the program stopped at
  private since: Resume[] = []; // requests after that
  private readonly asked = new Map<number, Resume>(); // by number of the request
  private waiting: { resolve: () => void; reject: (e: Error) => void }[] = [];

  /** toAdapter sees a message on its way to the adapter. */
  toAdapter(message: DebugProtocol.ProtocolMessage): void {
    const request = message as DebugProtocol.Request;
    if (message.type === "request" && resumes.has(request.command)) {
      this.asked.set(request.seq, { command: request.command, arguments: request.arguments });
    }
  }

  /** toEditor sees a message on its way to the editor. It returns true when the position has changed. */
  toEditor(message: DebugProtocol.ProtocolMessage): boolean {
    if (message.type === "response") {
      return this.response(message as DebugProtocol.Response);
    }
    if (message.type !== "event") {
      return false;
    }
    const event = message as DebugProtocol.Event;
    switch (event.event) {
      case "stopped":
        this.stopped((event as DebugProtocol.StoppedEvent).body);
        return true;
      case "continued":
        this.state = "running";
        return true;
      case "terminated":
      case "exited":
        this.end("the run has ended");
        return true;
    }
    return false;
  }

  private response(r: DebugProtocol.Response): boolean {
    const resume = this.asked.get(r.request_seq);
    if (!resume) {
      return false;
    }
    this.asked.delete(r.request_seq);
    if (!r.success) {
      return false;
    }
    this.since.push(resume);
    this.state = "running";
    return true;
  }

  private stopped(body: DebugProtocol.StoppedEvent["body"]): void {
    this.state = "stopped";
    const number = /^#(\d{1,16})$/.exec(body.text ?? "")?.[1];
    this.step = number === undefined ? undefined : Number(number);
    this.atStep = isAtStep(body);
    if (this.atStep) {
      this.anchor = this.step;
      this.since = [];
    }
    for (const w of this.waiting.splice(0)) {
      w.resolve();
    }
  }

  /** end marks the run as over; whoever waits for a stop is told why. */
  end(why: string): void {
    this.state = "ended";
    for (const w of this.waiting.splice(0)) {
      w.reject(new Error(`restep: ${why}`));
    }
  }

  /** nextStop is fulfilled by the next stop, and rejected by the end of the run. */
  nextStop(): Promise<void> {
    if (this.state === "ended") {
      return Promise.reject(new Error("restep: the run has ended"));
    }
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** next returns the number of the next event. */
  next(): number | undefined {
    return this.step === undefined ? undefined : this.step + 1;
  }

  /** previous returns the number of the event before, undefined at the first. */
  previous(): number | undefined {
    if (this.step === undefined) {
      return undefined;
    }
    const step = this.atStep ? this.step - 1 : this.step;
    return step >= 1 ? step : undefined;
  }

  /** back tells how to take back the debugger's last step. */
  back(): BackPlan | undefined {
    if (this.anchor === undefined) {
      return undefined;
    }
    if (this.since.length > 0) {
      return { step: this.anchor, again: this.since.slice(0, -1) };
    }
    const step = this.previous();
    return step === undefined ? undefined : { step, again: [] };
  }
}
