// Where a debugged run is, from the messages between editor and adapter.

import type { DebugProtocol } from "@vscode/debugprotocol";

/** isAtStep tells whether the program stands right before an event; the adapter's description says so. */
function isAtStep(body: DebugProtocol.StoppedEvent["body"]): boolean {
  return (body.description ?? "").startsWith("at step #");
}

/** Requests whose answer says that the program moves now. */
const resumes = new Set(["next", "stepIn", "stepOut", "continue", "stepBack", "reverseContinue"]);

export class Position {
  state: "starting" | "stopped" | "running" | "ended" = "starting";
  /** The step that comes next (at it), or the last that was made (not at it). */
  step: number | undefined;
  /** The program stands right before the event. */
  atStep = false;

  private readonly asked = new Set<number>(); // numbers of such requests
  private waiting: { resolve: () => void; reject: (e: Error) => void }[] = [];

  /** toAdapter sees a message on its way to the adapter. */
  toAdapter(message: DebugProtocol.ProtocolMessage): void {
    const request = message as DebugProtocol.Request;
    if (message.type === "request" && resumes.has(request.command)) {
      this.asked.add(request.seq);
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
    if (!this.asked.delete(r.request_seq) || !r.success) {
      return false;
    }
    this.state = "running";
    return true;
  }

  private stopped(body: DebugProtocol.StoppedEvent["body"]): void {
    this.state = "stopped";
    const number = /^#(\d{1,16})$/.exec(body.text ?? "")?.[1];
    this.step = number === undefined ? undefined : Number(number);
    this.atStep = isAtStep(body);
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
}
