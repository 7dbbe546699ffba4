import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMoment, parseMoment } from "./moment.js";

const text = "restep://v1/example.org/bank?test=TestTransfer&seed=18446744073709551615&step=412&build=9f86d081884c7d65";

test("a link survives reading and writing", () => {
  const moment = parseMoment(text);
  assert.equal(moment.seed, "18446744073709551615");
  assert.equal(formatMoment(moment), text);
});

test("a link without a step is the run as a whole", () => {
  assert.equal(parseMoment("restep://v1/a/b?test=TestX&seed=1").step, undefined);
  assert.equal(parseMoment("restep://v1/a/b?test=TestX&seed=1&step=0").step, undefined);
});

test("the editor's own form is the same link", () => {
  assert.deepEqual(parseMoment(text.replace("restep://v1/", "vscode://restep.restep/v1/")), parseMoment(text));
});

for (const [bad, why] of [
  ["restep://v2/a?test=T&seed=1", /starts with/],
  ["https://example.org/v1/a?test=T&seed=1", /starts with/],
  ["restep://v1/../b?test=T&seed=1", /package/],
  ["restep://v1//etc?test=T&seed=1", /package/],
  ["restep://v1/a%2f..%2fb?test=T&seed=1", /package/],
  ["restep://v1/-exec?test=T&seed=1", /package/],
  ["restep://v1/a%zz?test=T&seed=1", /decoded/],
  ["restep://v1/a?test=-run&seed=1", /test/],
  ["restep://v1/a?seed=1", /test/],
  ["restep://v1/a?test=T", /seed/],
  ["restep://v1/a?test=T&seed=18446744073709551616", /seed/],
  ["restep://v1/a?test=T&seed=1&seed=2", /twice/],
  ["restep://v1/a?test=T&seed=1&env=X", /unknown part/],
  ["restep://v1/a?test=T&seed=1&step=x", /step/],
  ["restep://v1/a?test=T&seed=1&build=xyz", /build/],
  [`restep://v1/${"a".repeat(5000)}?test=T&seed=1`, /longer/],
] as const) {
  test(`refused: ${bad.slice(0, 60)}`, () => {
    assert.throws(() => parseMoment(bad), why);
  });
}
