import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveLaunch } from "./launch.js";

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
] as const) {
  test(`refused: ${JSON.stringify(bad)}`, () => {
    assert.throws(() => resolveLaunch(bad, { env: {}, buildFlags: [], folder: "/w" }), why);
  });
}
