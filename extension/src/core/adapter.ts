// Runs restep dap and passes its messages on. It is not left to VS Code to
// start the program, because log lines get links on their way: a line of
// output becomes a value with a location, which the debug console shows as a
// link. When the editor asks for the location, the line was clicked.

import { type ChildProcess, spawn } from "node:child_process";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { Decoder, encode } from "./framing.js";
import { stepOfLine } from "./lines.js";

/** References from here on are ours; Delve counts from 1000. */
const referenceBase = 0x4000_0000;
const linesMax = 20_000;
const stderrMax = 4096;
const graceMs = 3000;

interface Line {
  readonly step: number;
  readonly output: string;
  readonly source?: DebugProtocol.Source | undefined;
  readonly line?: number | undefined;
}

export interface AdapterOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  /** Gets the messages for the editor. */
  readonly send: (message: DebugProtocol.ProtocolMessage) => void;
  /** A line of output was clicked. */
  readonly clicked: (step: number) => void;
}

/**
 * Rewriter stands between editor and adapter: it turns lines of output into
 * values with a location, and answers for them.
 */
export class Rewriter {
  private readonly lines = new Map<number, Line>();
  private next = referenceBase;

  constructor(private readonly clicked: (step: number) => void) {}

  /** toEditor returns a message with links. */
  toEditor(message: DebugProtocol.ProtocolMessage): DebugProtocol.ProtocolMessage {
    const event = message as DebugProtocol.OutputEvent;
    if (message.type !== "event" || event.event !== "output" || event.body.variablesReference) {
      return message;
    }
    const step = stepOfLine(event.body.output);
    if (step === undefined || this.next === 0x7fff_ffff) {
      return message;
    }
    const reference = this.next++;
    const { output, source, line } = event.body;
    this.lines.set(reference, { step, output, source, line });
    this.lines.delete(reference - linesMax);
    const linked: DebugProtocol.OutputEvent = { ...event, body: { ...event.body, variablesReference: reference } };
    return linked;
  }

  /** answer returns the response to a request about a line, undefined for other requests. */
  answer(message: DebugProtocol.ProtocolMessage): DebugProtocol.Response | undefined {
    const request = message as DebugProtocol.Request;
    if (message.type !== "request") {
      return undefined;
    }
    const reference: unknown =
      request.command === "variables"
        ? request.arguments?.variablesReference
        : request.command === "locations"
          ? request.arguments?.locationReference
          : undefined;
    if (typeof reference !== "number" || reference < referenceBase) {
      return undefined;
    }
    const line = this.lines.get(reference);
    const response = { seq: 0, type: "response", request_seq: request.seq, command: request.command, success: true };
    if (request.command === "variables") {
      const value = line?.output.trimEnd() ?? "";
      const variable = { name: "", value, variablesReference: 0, valueLocationReference: reference };
      return { ...response, body: { variables: line ? [variable] : [] } };
    }
    if (line) {
      this.clicked(line.step);
    }
    if (!line?.source || !line.line) {
      return { ...response, success: false, message: "the line has no place in the source" };
    }
    return { ...response, body: { source: line.source, line: line.line } };
  }
}

/** Adapter is one running restep dap. */
export class Adapter {
  private readonly child: ChildProcess;
  private readonly rewriter: Rewriter;
  private readonly decoder = new Decoder();
  private stderr = "";
  private over = false; // the editor knows that the session ends
  private timer: NodeJS.Timeout | undefined;
  /** Fulfilled when the program has ended. */
  readonly ended: Promise<void>;

  constructor(private readonly options: AdapterOptions) {
    this.rewriter = new Rewriter(options.clicked);
    this.child = spawn(options.command, [...options.args], { cwd: options.cwd, stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk: Buffer) => this.receive(chunk));
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString("utf8")).slice(-stderrMax);
    });
    this.child.stdin?.on("error", () => {}); // the end of the program tells more
    this.ended = new Promise((resolve) => {
      this.child.once("error", (e) => {
        this.end(`start ${options.command}: ${e.message}`);
        resolve();
      });
      this.child.once("close", (code, signal) => {
        clearTimeout(this.timer);
        this.end(`the debug adapter ended (${signal ?? `exit code ${code}`})`);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** handle takes a message of the editor. */
  handle(message: DebugProtocol.ProtocolMessage): void {
    const answer = this.rewriter.answer(message);
    if (answer) {
      this.options.send(answer);
      return;
    }
    this.child.stdin?.write(encode(serialise(message)));
  }

  private receive(chunk: Buffer): void {
    try {
      for (const text of this.decoder.push(chunk)) {
        const message = JSON.parse(text) as DebugProtocol.ProtocolMessage;
        if (message.type === "event" && (message as DebugProtocol.Event).event === "terminated") {
          this.over = true;
        }
        this.options.send(this.rewriter.toEditor(message));
      }
    } catch (e) {
      this.end(e instanceof Error ? e.message : String(e));
      this.dispose();
    }
  }

  /** end tells the editor that the session is over, once, and why. */
  private end(why: string): void {
    if (this.over) {
      return;
    }
    this.over = true;
    const said = this.stderr.trim();
    const output = `restep: ${why}${said === "" ? "" : `\n${said}`}\n`;
    this.event("output", { category: "stderr", output });
    this.event("terminated", {});
  }

  private event(event: string, body: object): void {
    const message = { seq: 0, type: "event", event, body };
    this.options.send(message);
  }

  /** dispose closes the connection, which ends the adapter and all that it started. */
  dispose(): void {
    this.over = true;
    this.child.stdin?.end();
    this.timer ??= setTimeout(() => this.child.kill("SIGKILL"), graceMs);
    this.timer.unref();
  }
}

/** serialise writes a message as JSON. A seed given as text becomes a number, which JavaScript might not hold. */
export function serialise(message: DebugProtocol.ProtocolMessage): string {
  const request = message as DebugProtocol.Request;
  const seed: unknown = request.command === "launch" ? request.arguments?.seed : undefined;
  if (typeof seed !== "string" || !/^\d{1,20}$/.test(seed)) {
    return JSON.stringify(message);
  }
  const mark = "seed-goes-here-4c1b";
  const copy = { ...request, arguments: { ...request.arguments, seed: mark } };
  return JSON.stringify(copy).replace(`"${mark}"`, seed);
}
