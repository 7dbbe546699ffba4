import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { findBinary } from "./binary.js";
import { quote, testArguments, typedTest } from "./cmdline.js";
import { commands, isSeedSet, isTestName, readArguments, readSeed, readStep } from "./commands.js";
import { jumpCommand, stepsCommand } from "./dapExt.js";
import { folderOf, importPath, modulePath } from "./gomod.js";
import { allTests, testAt } from "./gotest.js";
import { clock, escapeMarkdown, statusText } from "./status.js";

test("arguments of commands are read, whoever wrote them", () => {
  assert.deepEqual(readArguments({ uri: "file:///a", package: "p", test: "T", seed: 37, step: 412, seeds: "1-100" }), {
    uri: "file:///a",
    package: "p",
    test: "T",
    seed: "37",
    step: 412,
    seeds: "1-100",
  });
  assert.deepEqual(readArguments({ uri: 5, test: "", seed: -1, step: "x" }), {});
  assert.deepEqual(readArguments(undefined), {});
  assert.equal(readSeed("18446744073709551615"), "18446744073709551615");
  assert.equal(readSeed("18446744073709551616"), undefined);
  assert.equal(readSeed(2 ** 60), undefined); // it was rounded before it came here
  assert.deepEqual([readStep("#412"), readStep(412), readStep("0"), readStep("1.5")], [412, 412, undefined, undefined]);
  assert.deepEqual([isSeedSet("1,2,5-10"), isSeedSet("1-"), isSeedSet("-v")], [true, false, false]);
  assert.deepEqual([isTestName("TestÄ/a=b"), isTestName("-exec"), isTestName("T/\u001b[0m")], [true, false, false]);
});

test("the manifest declares every command, and no other", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const declared: string[] = manifest.contributes.commands.map((c: { command: string }) => c.command);
  assert.deepEqual(declared.sort(), Object.values(commands).sort());
  for (const menu of Object.values<{ command: string }[]>(manifest.contributes.menus)) {
    assert.deepEqual(
      menu.filter((m) => !declared.includes(m.command)),
      [],
    );
  }
  assert.deepEqual(manifest.contributes.debuggers[0].languages, undefined); // F5 is the Go extension's
});

test("the adapter's own requests have the names that it documents", () => {
  const source = readFileSync("../dap/ext.go", "utf8");
  const names = [...source.matchAll(/^\s*command(\w+)\s*=\s*"([^"]+)"$/gm)].map((m) => [m[1], m[2]]);
  assert.deepEqual(
    names.filter(([name]) => name === "Jump" || name === "Steps"),
    [
      ["Jump", jumpCommand],
      ["Steps", stepsCommand],
    ],
  );
});

test("command lines can be copied to a shell", () => {
  const args = testArguments({ test: "TestA/b.c", seed: "3", buildFlags: ["-tags=x"], env: { A: "b c" } });
  assert.equal(quote(args), "test '-run=^TestA$/^b\\.c$' -v -seed=3 -env 'A=b c' -tags=x .");
  const explore = testArguments({ test: "TestA", seeds: "1-100", buildFlags: [], env: {} });
  assert.equal(quote(explore), "test '-run=^TestA$' -seeds=1-100 .");
});

test("typed commands that run restep test", () => {
  assert.equal(typedTest("restep test -v ./...", "/w"), "/w");
  assert.equal(typedTest("CGO_ENABLED=0 ~/go/bin/restep test -C sub ./...", "/w"), "/w/sub");
  assert.equal(typedTest("restep test -C=/abs", "/w"), "/abs");
  assert.equal(typedTest("restep steps", "/w"), undefined);
  assert.equal(typedTest("go test ./restep", "/w"), undefined);
});

test("packages and folders", () => {
  const files: Record<string, string> = {
    "/w/go.mod": "// a comment\nmodule example.org/w // here\n\ngo 1.26\n",
    "/w/sub/go.mod": 'module "example.org/w/sub"\n',
  };
  const read = (path: string) => files[path];
  assert.equal(importPath("/w/bank", read), "example.org/w/bank");
  assert.equal(importPath("/w", read), "example.org/w");
  assert.equal(importPath("/w/sub/x", read), "example.org/w/sub/x");
  assert.equal(importPath("/other", read), undefined);
  assert.equal(folderOf("example.org/w/sub/x", ["/w", "/w/sub"], read), "/w/sub/x");
  assert.equal(folderOf("example.org/w/bank", ["/w/sub", "/w"], read), "/w/bank");
  assert.equal(folderOf("example.org/wide", ["/w"], read), undefined);
  assert.equal(modulePath("package x"), undefined);
});

test("the test at a line", () => {
  const text =
    "package x\n\nfunc helper() {\n}\n\nfunc TestA(t *testing.T) {\n\tx()\n}\n\nfunc Test_b(tt *testing.T) {\n}\nfunc Testify(t *testing.T) {}\n";
  assert.equal(testAt(text, 6), "TestA");
  assert.equal(testAt(text, 5), "TestA");
  assert.equal(testAt(text, 7), "TestA");
  assert.equal(testAt(text, 8), undefined);
  assert.equal(testAt(text, 2), undefined);
  assert.deepEqual(allTests(text), ["TestA", "Test_b"]);
});

test("restep is found in safe places only", () => {
  const places = (there: string[], setting = "", env = {}) =>
    findBinary({ setting, env, home: "/home/me", platform: "linux", runnable: (p) => there.includes(p) });
  assert.equal(places(["/bin/restep"], "", { PATH: "/bin:/usr/bin" }), "/bin/restep");
  assert.equal(places(["restep", "./restep"], "", { PATH: ".::bin" }), undefined);
  assert.equal(places(["/home/me/go/bin/restep"], "", {}), "/home/me/go/bin/restep");
  assert.equal(places(["/g/bin/restep"], "", { GOPATH: "/g" }), "/g/bin/restep");
  assert.equal(places(["/x/restep", "/bin/restep"], "/x/restep", { PATH: "/bin" }), "/x/restep");
  assert.equal(places(["/bin/restep"], "/x/restep", { PATH: "/bin" }), undefined); // never another than was asked for
  assert.equal(places(["tools/restep"], "tools/restep"), undefined);
  assert.equal(places(["/home/me/restep"], "~/restep"), "/home/me/restep");
});

test("the status bar", () => {
  const time = "2020-01-15T14:10:04.00002Z";
  const step = { step: 104, tick: 1, time, machine: "server", goroutine: 21, kind: "log", text: "" };
  assert.equal(statusText(step, true, "1"), "#104 · 14:10:04.000 · server/21 · seed 1");
  assert.equal(
    statusText({ ...step, goroutine: 0, machine: "" }, false, "1"),
    "after #104 · 14:10:04.000 · - · seed 1",
  );
  assert.equal(clock("2020-01-15T14:10:04Z"), "14:10:04.000");
});

test("text of a program is no markdown", () => {
  const nasty = "<img src=x> [a](command:evil) `x` **b** $(flame) \u001b[31m &amp;\n# h";
  assert.doesNotMatch(escapeMarkdown(nasty), /[<>[\]()`*$\p{Cc}]/u);
  assert.match(escapeMarkdown("a-b"), /^a&#45;b$/);
});
