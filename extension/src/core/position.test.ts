import assert from "node:assert/strict";
import { test } from "node:test";
import { Position } from "./position.js";

function stopped(step: number, at: boolean) {
  const body = {
    reason: at ? "goto" : "step",
    text: `#${step}`,
    ...(at ? { description: `at step #${step}: log of main/2` } : {}),
  };
  return { seq: 1, type: "event", event: "stopped", body };
}

let seq = 0;

/** resume makes a request of the debugger and its answer. */
function resume(p: Position, command: string, success = true): void {
  const request = { seq: ++seq, type: "request", command, arguments: { threadId: 2 } };
  p.toAdapter(request);
  const response = { seq: 1, type: "response", request_seq: seq, command, success };
  p.toEditor(response);
}

test("next and previous count from the event that comes, or from the one that was", () => {
  const p = new Position();
  assert.equal(p.next(), undefined);
  assert.ok(p.toEditor(stopped(104, true)));
  assert.deepEqual([p.previous(), p.next()], [103, 105]);
  resume(p, "next");
  assert.equal(p.state, "running");
  p.toEditor(stopped(104, false));
  assert.deepEqual([p.previous(), p.next()], [104, 105]);
  p.toEditor(stopped(1, true));
  assert.equal(p.previous(), undefined);
});

test("a run moves when a request to move was granted, in either direction", () => {
  const p = new Position();
  p.toEditor(stopped(104, true));
  for (const command of ["next", "stepIn", "stepOut", "continue", "stepBack", "reverseContinue"]) {
    resume(p, command, false);
    assert.equal(p.state, "stopped", command);
    resume(p, command);
    assert.equal(p.state, "running", command);
    p.toEditor(stopped(105, false));
    assert.equal(p.state, "stopped", command);
  }
  resume(p, "evaluate");
  assert.equal(p.state, "stopped");
});

test("who waits for a stop hears of the end", async () => {
  const p = new Position();
  const stop = p.nextStop();
  p.toEditor({ seq: 1, type: "event", event: "terminated" } as never);
  await assert.rejects(stop, /ended/);
  await assert.rejects(p.nextStop(), /ended/);
});
