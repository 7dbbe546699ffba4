import assert from "node:assert/strict";
import { test } from "node:test";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { Adapter, Rewriter, serialise } from "./adapter.js";
import { Decoder, encode } from "./framing.js";

const source = { path: "/m/x_test.go" };
const output = "  104 server/21  14:10:04.000 INF x_test.go:20 > got a request\n";
const outputEvent = { seq: 5, type: "event", event: "output", body: { category: "stdout", output, source, line: 20 } };

function request(command: string, args: object): DebugProtocol.Request {
  return { seq: 9, type: "request", command, arguments: args };
}

test("a log line becomes a value whose location is a step", () => {
  const clicks: number[] = [];
  const links = new Rewriter((step) => clicks.push(step));
  const linked = links.toEditor(outputEvent) as DebugProtocol.OutputEvent;
  const reference = linked.body.variablesReference ?? 0;
  assert.ok(reference > 2 ** 29);
  assert.equal(linked.body.output, output);

  const variables = links.answer(request("variables", { variablesReference: reference }));
  assert.equal(variables?.request_seq, 9);
  const [variable] = variables?.body.variables ?? [];
  assert.equal(variable.value, output.trimEnd());
  assert.deepEqual(clicks, []);

  const location = links.answer(request("locations", { locationReference: variable.valueLocationReference }));
  assert.deepEqual(location?.body, { source, line: 20 });
  assert.deepEqual(clicks, [104]);
});

test("all else passes", () => {
  const links = new Rewriter(() => assert.fail());
  const other = { ...outputEvent, body: { ...outputEvent.body, output: "restep: building\n" } };
  assert.equal(links.toEditor(other), other);
  assert.equal(links.answer(request("variables", { variablesReference: 1000 })), undefined);
  assert.equal(links.answer(request("next", { threadId: 1 })), undefined);
  const unknown = links.answer(request("locations", { locationReference: 0x7000_0000 }));
  assert.equal(unknown?.success, false);
});

test("messages are cut at their ends, whatever the chunks", () => {
  const texts = ['{"a":"ü€"}', "{}", `{"b":"${"x".repeat(10_000)}"}`];
  const bytes = Buffer.concat(texts.map(encode));
  for (const size of [1, 3, 100, bytes.length]) {
    const decoder = new Decoder();
    const got: string[] = [];
    for (let i = 0; i < bytes.length; i += size) {
      got.push(...decoder.push(bytes.subarray(i, i + size)));
    }
    assert.deepEqual(got, texts);
  }
  assert.throws(() => new Decoder().push(Buffer.from("Content-Length: x\r\n\r\n")), /bad header/);
  assert.throws(() => new Decoder().push(Buffer.from("Content-Length: 999999999\r\n\r\n")), /bad header/);
  assert.throws(() => new Decoder().push(Buffer.alloc(5000, 97)), /no end/);
});

test("a seed beyond 2^53 reaches the adapter whole", () => {
  const launch = request("launch", { test: "T", seed: "18446744073709551615" });
  assert.match(serialise(launch), /"seed":18446744073709551615[,}]/);
  const odd = request("launch", { test: "T", seed: '1,"x":2' });
  assert.match(serialise(odd), /"seed":"1,\\"x\\":2"/);
});

/** start runs a script in place of restep dap and collects what comes. */
function start(script: string) {
  const sent: DebugProtocol.ProtocolMessage[] = [];
  const send = (m: DebugProtocol.ProtocolMessage) => void sent.push(m);
  const adapter = new Adapter({ command: process.execPath, args: ["-e", script], send, clicked: () => {} });
  return { adapter, sent, events: () => sent.filter((m) => m.type === "event") as DebugProtocol.Event[] };
}

test("an adapter that dies ends the session and says why", async () => {
  const { adapter, events } = start("process.stderr.write('no such test'); process.exit(3)");
  await adapter.ended;
  assert.deepEqual(
    events().map((e) => e.event),
    ["output", "terminated"],
  );
  assert.match(events()[0]?.body.output, /exit code 3[\s\S]*no such test/);
});

test("an adapter that talks nonsense ends the session", async () => {
  const { adapter, events } = start("process.stdout.write('hello\\r\\n\\r\\n'); process.stdin.resume()");
  await adapter.ended;
  assert.match(events()[0]?.body.output, /bad header/);
});

test("a program that is not there ends the session", async () => {
  const sent: DebugProtocol.Event[] = [];
  const send = (m: DebugProtocol.ProtocolMessage) => void sent.push(m as DebugProtocol.Event);
  await new Adapter({ command: "/nowhere/restep", args: ["dap"], send, clicked: () => {} }).ended;
  assert.match(sent[0]?.body.output, /start \/nowhere\/restep/);
});

test("closing the connection ends the adapter", async () => {
  const { adapter, sent } = start("process.stdin.on('end', () => process.exit(0)).resume()");
  adapter.dispose();
  await adapter.ended;
  assert.deepEqual(sent, []);
});
