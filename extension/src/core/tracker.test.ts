import assert from "node:assert/strict";
import { test } from "node:test";
import { LineStore, Tracker } from "./tracker.js";

const output = `=== RUN   TestTransfer (seed 1)
    7 main/4  14:10:03.000 INF bank_test.go:17 > worker 1 read 0
    9 main/3  14:10:03.000 INF bank_test.go:17 > worker 0 read 0
--- FAIL: TestTransfer (0.00s simulated)
  when   step 11, 14:10:03.000 (t=0.000s), seed 1
=== RUN   TestTransfer (seed 2)
    7 main/4  14:10:03.000 INF bank_test.go:17 > worker 1 read 0
    8 main/4  14:10:03.000 INF bank_test.go:17 > only here
FAIL\texample.org/machines/bank\t0.015s\t(1 test, 2 seeds; 2 of 2 runs failed)
FAIL
`;

test("lines lead to their runs, whatever the chunks", () => {
  for (const size of [1, 7, output.length]) {
    const store = new LineStore();
    const tracker = new Tracker(store, "/m", "/m/bank");
    for (let i = 0; i < output.length; i += size) {
      tracker.feed(output.slice(i, i + size).replaceAll("\n", "\r\n"));
    }
    const seeds = (line: string) => store.runs(line).map((r) => r.seed);
    assert.deepEqual(seeds("    7 main/4  14:10:03.000 INF bank_test.go:17 > worker 1 read 0"), ["2", "1"]);
    assert.deepEqual(seeds("    8 main/4  14:10:03.000 INF bank_test.go:17 > only here"), ["2"]);
    assert.deepEqual(seeds("  when   step 11, 14:10:03.000 (t=0.000s), seed 1"), ["1"]);
    assert.deepEqual(seeds("    8 main/4  14:10:03.000 INF bank_test.go:17 > never printed"), []);
  }
});

test("the package of a typed command comes at the end", () => {
  const store = new LineStore();
  new Tracker(store, "/m").feed(output);
  const [run] = store.runs("    8 main/4  14:10:03.000 INF bank_test.go:17 > only here");
  assert.deepEqual(run, { cwd: "/m", program: "example.org/machines/bank", test: "TestTransfer", seed: "2" });
});

test("the same run again is one run", () => {
  const store = new LineStore();
  new Tracker(store, "/m", "/m/bank").feed(output);
  new Tracker(store, "/m", "/m/bank").feed(output);
  assert.equal(store.runs("    8 main/4  14:10:03.000 INF bank_test.go:17 > only here").length, 1);
});

test("memory stays bounded", () => {
  const store = new LineStore();
  const run = { cwd: "/", program: "/", test: "T", seed: "1" };
  for (let i = 0; i < 60_000; i++) {
    store.add(`line ${i}`, run);
  }
  assert.equal(store.runs("line 0").length, 0);
  assert.equal(store.runs("line 59999").length, 1);
});
