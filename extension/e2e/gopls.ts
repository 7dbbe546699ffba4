// gopls and restep lsp as an editor runs them: both attached to one file of one
// folder. What gopls answers stays the same, whether ours is there and runs
// tests or not; how fast both answer is printed.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Decoder, encode } from "../src/core/framing.js";
import { gopls } from "./beside.js";
import type { Folders } from "./harness.js";

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { items?: unknown[]; value?: { kind: string } };
  readonly result?: unknown;
  readonly error?: { message: string };
}

/** LanguageServer is one server on stdio. */
class LanguageServer {
  private readonly child: ChildProcess;
  private readonly decoder = new Decoder();
  private readonly open = new Map<number, { done: (result: unknown) => void; failed: (e: Error) => void }>();
  private waiting: { readonly is: (m: Message) => boolean; readonly done: () => void }[] = [];
  private readonly ended: Promise<void>;
  private next = 1;

  constructor(
    command: string,
    args: string[],
    cwd: string,
    private readonly settings: unknown,
  ) {
    this.child = spawn(command, args, { cwd, stdio: ["pipe", "pipe", "ignore"] });
    this.child.stdout?.on("data", (chunk: Buffer) => {
      for (const text of this.decoder.push(chunk)) {
        this.receive(JSON.parse(text) as Message);
      }
    });
    this.child.stdin?.on("error", () => {}); // its end is told below
    this.ended = new Promise((done) => this.child.once("close", () => done()));
    void this.ended.then(() => {
      for (const asked of this.open.values()) {
        asked.failed(new Error(`${command} has ended`));
      }
    });
  }

  private receive(m: Message): void {
    if (m.method !== undefined) {
      if (m.id !== undefined) {
        const result = m.method === "workspace/configuration" ? m.params?.items?.map(() => this.settings) : null;
        this.send({ id: m.id, result });
      }
      const heard = this.waiting.filter((w) => w.is(m));
      this.waiting = this.waiting.filter((w) => !heard.includes(w));
      for (const w of heard) {
        w.done();
      }
      return;
    }
    const asked = this.open.get(Number(m.id));
    this.open.delete(Number(m.id));
    m.error ? asked?.failed(new Error(m.error.message)) : asked?.done(m.result);
  }

  private send(m: object): void {
    this.child.stdin?.write(encode(JSON.stringify({ jsonrpc: "2.0", ...m })));
  }

  request<T>(method: string, params: unknown): Promise<T> {
    const id = this.next++;
    return new Promise<T>((done, failed) => {
      this.open.set(id, { done: (result) => done(result as T), failed });
      this.send({ id, method, params });
    });
  }

  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  /** heard is fulfilled by the next message of the server with a method, when it ends some work if a kind says so. */
  heard(method: string, kind?: string): Promise<void> {
    const is = (m: Message) => m.method === method && (kind === undefined || m.params?.value?.kind === kind);
    return new Promise((done) => this.waiting.push({ is, done }));
  }

  async start(folder: string, file: string): Promise<void> {
    const rootUri = pathToFileURL(folder).href;
    const textDocument = {
      hover: { contentFormat: ["markdown"] },
      inlayHint: {},
      codeLens: {},
    };
    await this.request("initialize", {
      processId: process.pid,
      rootUri,
      workspaceFolders: [{ uri: rootUri, name: "machines" }],
      capabilities: {
        workspace: { configuration: true, inlayHint: { refreshSupport: true }, codeLens: { refreshSupport: true } },
        textDocument,
        window: { workDoneProgress: true },
      },
      initializationOptions: this.settings,
    });
    this.notify("initialized", {});
    const uri = pathToFileURL(file).href;
    this.notify("textDocument/didOpen", {
      textDocument: { uri, languageId: "go", version: 1, text: readFileSync(file, "utf8") },
    });
  }

  async stop(): Promise<void> {
    await this.request("shutdown", null);
    this.notify("exit", null);
    await this.ended;
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}

const rounds = 40;

interface Hint {
  readonly position: { readonly line: number; readonly character: number };
  readonly kind?: number;
}

interface Answers {
  readonly hints: Hint[];
  readonly lenses: unknown[];
  readonly hover: unknown;
}

/** order orders hints by where they stand; gopls answers kind by kind, and the kinds in another order each time. */
function order(a: Hint, b: Hint): number {
  const [p, q] = [a.position, b.position];
  return p.line - q.line || p.character - q.character || (a.kind ?? 0) - (b.kind ?? 0);
}

/** ask makes the three requests an editor makes for a file, and tells how long they took together. */
async function ask(server: LanguageServer, file: string): Promise<{ answers: Answers; ms: number }> {
  const textDocument = { uri: pathToFileURL(file).href };
  const range = { start: { line: 0, character: 0 }, end: { line: 74, character: 0 } };
  const started = performance.now();
  const [hints, lenses, hover] = await Promise.all([
    server.request<Hint[] | null>("textDocument/inlayHint", { textDocument, range }),
    server.request<unknown[]>("textDocument/codeLens", { textDocument }),
    server.request("textDocument/hover", { textDocument, position: { line: 20, character: 8 } }),
  ]);
  const ms = performance.now() - started;
  return { answers: { hints: (hints ?? []).toSorted(order), lenses: lenses ?? [], hover }, ms };
}

/** several asks many times: the last answers, and the median time. */
async function several(server: LanguageServer, file: string): Promise<{ answers: Answers; ms: number }> {
  const all = [];
  for (let i = 0; i < rounds; i++) {
    all.push(await ask(server, file));
  }
  const times = all.map((a) => a.ms).sort((a, b) => a - b);
  return { answers: all.at(-1)?.answers as Answers, ms: times[rounds / 2] as number };
}

export async function besideGopls(folders: Folders): Promise<void> {
  const servers: LanguageServer[] = [];
  try {
    await both(folders, servers);
  } finally {
    for (const server of servers) {
      server.kill();
    }
  }
}

async function both(folders: Folders, servers: LanguageServer[]): Promise<void> {
  const folder = join(folders.root, "both");
  cpSync(folders.workspace, folder, { recursive: true });
  rmSync(join(folder, ".restep"), { recursive: true, force: true });
  const file = join(folder, "machines_test.go");
  const restep = join(folders.bin, "restep");
  const theirs = new LanguageServer(gopls(), ["serve"], folder, {
    hints: { parameterNames: true, assignVariableTypes: true },
    codelenses: { test: true },
  });
  const ours = new LanguageServer(restep, ["lsp"], folder, {});
  servers.push(theirs, ours);
  // It may answer before it has loaded what is imported, and then lacks hints.
  const loaded = theirs.heard("$/progress", "end");
  await theirs.start(folder, file);
  await loaded;
  const alone = await several(theirs, file);
  assert.match(JSON.stringify(alone.answers.hints), /\*http\.Response/);
  assert.ok(alone.answers.hints.length > 10 && alone.answers.lenses.length > 0 && alone.answers.hover !== null);

  await ours.start(folder, file);
  assert.deepEqual((await ask(ours, file)).answers.hints, []);
  for (let refreshed = ours.heard("workspace/inlayHint/refresh"); ; ) {
    execFileSync(restep, ["test", "-seed=7", "."], { cwd: folder, stdio: "ignore" });
    await refreshed;
    refreshed = ours.heard("workspace/inlayHint/refresh");
    if ((await ask(ours, file)).answers.hints.length > 0) {
      break;
    }
  }
  const [together, our] = await Promise.all([several(theirs, file), several(ours, file)]);
  assert.deepEqual(together.answers, alone.answers);
  const hint = JSON.stringify(our.answers.hints);
  assert.match(hint, /#\d+ server\/\d+ ×4/);
  assert.match(JSON.stringify(our.answers.hover), /steps of TestMachines/);
  assert.match(JSON.stringify(our.answers.lenses), /run seed 1/);
  const after = await several(theirs, file);
  assert.deepEqual(after.answers, alone.answers);
  await theirs.stop();
  const lonely = await several(ours, file);
  assert.deepEqual(lonely.answers, our.answers);
  await ours.stop();
  const figure = (what: string, a: number, how: string, b: number) =>
    console.log(`   ${what}: ${a.toFixed(1)} ms alone, ${b.toFixed(1)} ms ${how} (×${(b / a).toFixed(2)})`);
  figure("hints, lenses and hover of gopls", alone.ms, "beside an idle restep lsp", after.ms);
  figure("hints, lenses and hover of gopls", alone.ms, "while both are asked", together.ms);
  figure("hints, lenses and hover of restep lsp", lonely.ms, "while both are asked", our.ms);
}
