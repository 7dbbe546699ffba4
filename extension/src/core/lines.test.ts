import assert from "node:assert/strict";
import { test } from "node:test";
import { findLinks, isOurs, plain, splitWords, stepOfLine } from "./lines.js";

const logLine = "  104 server/21  14:10:04.000 INF machines_test.go:20 > got a request from 11.0.0.1:10000";

test("a log line links its number only", () => {
  const [link, ...rest] = findLinks(logLine);
  assert.deepEqual(link, { start: 2, length: 3, step: 104 });
  assert.deepEqual(rest, []);
  assert.equal(stepOfLine(logLine), 104);
  assert.ok(isOurs(logLine));
});

test("names with blanks, the simulator and wide numbers are steps too", () => {
  assert.equal(stepOfLine("1234567 my server/3  14:10:03.000 syscall > openat"), 1234567);
  assert.equal(stepOfLine("    1 -        14:10:03.000 boot > machine main"), 1);
  assert.equal(stepOfLine("  104 server/21  14:10:04 INF x"), undefined);
  assert.equal(stepOfLine("    0 main/1  14:10:04.000 INF x"), undefined);
});

test("a failure report links its step and its command", () => {
  const when = "  when   step 11, 14:10:03.000 (t=0.000s), seed 2";
  assert.deepEqual(findLinks(when), [{ start: 9, length: 7, step: 11 }]);
  const look = "  look   restep debug -test TestTransfer -seed 2 -step 11 ./bank";
  const [link] = findLinks(look);
  assert.equal(look.slice(link?.start, (link?.start ?? 0) + (link?.length ?? 0)), look.trim().slice(7));
  assert.deepEqual(link?.command, { test: "TestTransfer", seed: "2", step: 11, package: "./bank" });
});

test("#n and links stand anywhere, and nothing that only looks like them", () => {
  const line = "see #412, restep://v1/example.org/bank?test=TestTransfer&seed=37&step=412.";
  assert.deepEqual(
    findLinks(line).map((l) => [line.slice(l.start, l.start + l.length), l.step, l.moment?.seed]),
    [
      ["#412", 412, undefined],
      ["restep://v1/example.org/bank?test=TestTransfer&seed=37&step=412", 412, "37"],
    ],
  );
  assert.deepEqual(findLinks("&#412; a#1 #1a #0 /#3 restep://v1/../x?test=T&seed=1&step=2"), []);
});

test("escape sequences do not hide a step", () => {
  const coloured = `\u001b[2m${logLine}\u001b[0m\u001b]8;;http://x\u0007`;
  assert.equal(plain(coloured), logLine);
});

test("words are split as by a shell", () => {
  assert.deepEqual(splitWords(`restep test -run '^Test A$' "a \\" b" c\\ d`), [
    "restep",
    "test",
    "-run",
    "^Test A$",
    'a " b',
    "c d",
  ]);
});
