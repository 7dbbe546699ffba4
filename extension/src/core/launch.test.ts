import assert from "node:assert/strict";
import { test } from "node:test";
import { isProcesses, resolveLaunch, resolveProcesses } from "./launch.js";

const ctx = {
  folder: "/w",
  activeDir: "/w/bank",
  activeTest: "TestTransfer",
  env: { A: "1" },
  buildFlags: ["-tags=x"],
};

test("an empty configuration debugs the test at the cursor", () => {
  assert.deepEqual(resolveLaunch({}, ctx), {
    type: "restep",
    request: "launch",
    name: "TestTransfer seed 1",
    program: "/w/bank",
    cwd: "/w/bank",
    test: "TestTransfer",
    seed: "1",
    env: { A: "1" },
    buildFlags: ["-tags=x"],
    hideSystemGoroutines: true,
  });
});

test("what is given counts, and passes on what is the debugger's", () => {
  const config = {
    package: "example.org/x",
    test: "TestA/b c",
    seed: 7,
    step: 3,
    stackTraceDepth: 9,
    env: { A: null },
  };
  assert.throws(() => resolveLaunch(config, ctx), /no name of a test/);
  const got = resolveLaunch({ ...config, test: "TestA/b_c", buildFlags: "-a  -b" }, ctx);
  assert.equal(got.program, "example.org/x");
  assert.equal(got["package"], undefined);
  assert.equal(got.cwd, "/w");
  assert.deepEqual([got.seed, got.step, got["stackTraceDepth"]], ["7", 3, 9]);
  assert.deepEqual([got.env, got.buildFlags], [{ A: null }, ["-a", "-b"]]);
});

for (const [bad, why] of [
  [{ test: "" }, /no "test"/],
  [{ test: "T", seed: -1 }, /"seed".*-1/],
  [{ test: "T", seed: "x" }, /"seed"/],
  [{ test: "T", step: 0 }, /"step".*0/],
  [{ test: 5 }, /"test".*text/],
  [{ test: "T", env: { A: 1 } }, /A must be text/],
  [{ test: "T", env: [] }, /"env"/],
  [{ test: "T", buildFlags: [1] }, /"buildFlags"/],
  [{ request: "attach" }, /attach/],
  [{ processes: [], test: "T" }, /"mode": "processes"/],
] as const) {
  test(`refused: ${JSON.stringify(bad)}`, () => {
    assert.throws(() => resolveLaunch(bad, { env: {}, buildFlags: [], folder: "/w" }), why);
  });
}

test("processes are completed, and the debugger's attributes passed on", () => {
  const one = { name: "one", program: "./one", ready: { port: 80 } };
  const two = { name: "two", program: "./two", dependsOn: ["one"], env: { A: null } };
  const config = { type: "restep", mode: "processes", processes: [one, two], endWith: "two", stackTraceDepth: 9 };
  assert.ok(isProcesses(config) && !isProcesses({ test: "T" }));
  assert.deepEqual(resolveProcesses(config, ctx), {
    type: "restep",
    request: "launch",
    mode: "processes",
    name: "one, two",
    cwd: "/w",
    env: {},
    processes: [one, two],
    endWith: "two",
    stackTraceDepth: 9,
    hideSystemGoroutines: true,
  });
});

for (const [bad, why] of [
  [{}, /at least one/],
  [{ processes: {} }, /at least one/],
  [{ processes: [7] }, /process 1 .*object/],
  [{ processes: [{ name: "a" }] }, /process 1 .*"program"/],
  [{ processes: [{ program: "a" }] }, /process 1 .*"name"/],
  [{ processes: [{ name: "a", program: "a", env: [] }] }, /"env"/],
  [{ processes: Array(2).fill({ name: "a", program: "a" }) }, /two processes "a"/],
  [{ processes: [{ name: "a", program: "a", dependsOn: ["b"] }] }, /no process "b"/],
  [{ processes: [{ name: "a", program: "a" }], endWith: "b" }, /no process "b"/],
  [{ processes: [{ name: "a", program: "a" }], test: "TestX" }, /"test" is of simulated tests/],
  [{ request: "attach", processes: [] }, /attach/],
] as const) {
  test(`processes refused: ${JSON.stringify(bad)}`, () => {
    assert.throws(() => resolveProcesses({ mode: "processes", ...bad }, ctx), why);
  });
}
