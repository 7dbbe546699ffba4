// The debug adapter as Microsoft's own test client sees it: launch at a step,
// look at variables, jump forward and back, terminate, and leave nothing
// behind when the client is killed. Run: node --test test/adapter

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DebugClient } from "@vscode/debugadapter-testsupport";

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const work = mkdtempSync(join(tmpdir(), "restep-adapter-"));
const binary = join(work, "restep");
const module_ = join(work, "machines");

before(() => {
  execFileSync("go", ["build", "-o", binary, "./cmd/restep"], { cwd: root, stdio: "inherit" });
  mkdirSync(module_);
  copyFileSync(join(root, "cmd/restep/testdata/cases/machines/machines_test.go"), join(module_, "machines_test.go"));
  writeFileSync(
    join(module_, "go.mod"),
    `module example\n\ngo 1.26\n\nrequire github.com/restep/restep v0.0.0\n\nreplace github.com/restep/restep => ${root}\n`,
  );
});
after(() => rmSync(work, { recursive: true, force: true }));

// requests are the steps of the log lines "got a request".
function requests() {
  const out = execFileSync(binary, ["steps", "-json", "-kind", "log", "-grep", "got a request", "TestMachines"], {
    cwd: module_,
    encoding: "utf8",
  });
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).step);
}

function client() {
  const c = new DebugClient(binary, "dap", "restep", { cwd: module_, stdio: "pipe", shell: false });
  c.defaultTimeout = 60_000;
  return c;
}

async function launch(c, step) {
  await c.initializeRequest({ adapterID: "restep", linesStartAt1: true, columnsStartAt1: true, pathFormat: "path" });
  const initialized = c.waitForEvent("initialized");
  const stopped = c.waitForEvent("stopped");
  const launched = c.launchRequest({ program: module_, test: "TestMachines", seed: 1, step });
  await initialized;
  await c.setExceptionBreakpointsRequest({ filters: [] }); // as editors do at each launch
  await c.configurationDoneRequest();
  await launched;
  return stopped;
}

// here tells where the session stands: source line, remote address and the
// package variable of the stopped machine.
async function here(c, threadId) {
  const { body } = await c.stackTraceRequest({ threadId, startFrame: 0, levels: 20 });
  const frame = body.stackFrames.find((f) => f.source?.path?.endsWith("machines_test.go"));
  assert.ok(frame, JSON.stringify(body.stackFrames.map((f) => f.name)));
  const evaluate = async (expression) =>
    (await c.evaluateRequest({ expression, frameId: frame.id, context: "watch" })).body.result;
  return { line: frame.line, addr: await evaluate("r.RemoteAddr"), count: await evaluate("count") };
}

test("launch at a step, jump forward and back, terminate", async () => {
  execFileSync(binary, ["test", "."], { cwd: module_ });
  const steps = requests();
  assert.equal(steps.length, 4);
  const c = client();
  await c.start();
  try {
    const first = await launch(c, steps[0]);
    assert.equal(first.body.reason, "goto"); // after "step" editors show the innermost frame
    const threads = (await c.threadsRequest()).body.threads.map((t) => t.name);
    assert.ok(
      threads.some((n) => n.startsWith("server/")) && threads.some((n) => n.startsWith("main/")),
      threads.join("\n"),
    );
    const at = await here(c, first.body.threadId);
    assert.deepEqual({ ...at, addr: JSON.parse(at.addr) }, { line: 21, addr: "11.0.0.1:10000", count: "1" });

    for (const [step, addr, count] of [
      [steps[3], "11.0.0.1:10001", "2"],
      [steps[1], "11.0.0.1:10000", "2"],
    ]) {
      const stopped = c.waitForEvent("stopped");
      await c.customRequest("restep/jump", { step });
      const event = await stopped;
      assert.equal(event.body.reason, "goto");
      const now = await here(c, event.body.threadId);
      assert.deepEqual({ ...now, addr: JSON.parse(now.addr) }, { line: 21, addr, count });
    }

    const page = await c.customRequest("restep/steps", { from: 1, count: 5, kind: "log", grep: "got a request" });
    assert.deepEqual(
      page.body.steps.map((s) => s.step),
      steps,
    );

    const terminated = c.waitForEvent("terminated");
    await c.disconnectRequest({ terminateDebuggee: true });
    await terminated;
  } finally {
    c.stopAdapter();
  }
  await gone("restep.test");
});

test("the protocol as a whole: targets, frames, machines, completions, restart", async () => {
  const steps = requests();
  const c = client();
  await c.start();
  try {
    const { body: capabilities } = await c.initializeRequest({
      adapterID: "restep",
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: "path",
      supportsInvalidatedEvent: true,
      supportsProgressReporting: true,
    });
    for (const name of [
      "supportsGotoTargetsRequest",
      "supportsRestartRequest",
      "supportsRestartFrame",
      "supportsCompletionsRequest",
      "supportsModulesRequest",
      "supportsBreakpointLocationsRequest",
      "supportsSetExpression",
      "supportsStepBack",
    ]) {
      assert.equal(capabilities[name], true, name);
    }
    const begun = c.waitForEvent("progressStart");
    const stopped = c.waitForEvent("stopped");
    const initialized = c.waitForEvent("initialized");
    const launched = c.launchRequest({ program: module_, test: "TestMachines", seed: 1, step: steps[1] });
    assert.match((await begun).body.title, /TestMachines/);
    await initialized;
    const source = { path: join(module_, "machines_test.go") };
    const { body: set } = await c.setBreakpointsRequest({
      source,
      breakpoints: [{ line: 22, condition: "count(@* count > 1) == 1" }],
    });
    assert.equal(set.breakpoints[0].verified, true);
    await c.configurationDoneRequest();
    await launched;
    const { threadId } = (await stopped).body;
    const top = async (id) => {
      const { body } = await c.stackTraceRequest({ threadId: id, startFrame: 0, levels: 20 });
      return body.stackFrames.find((f) => f.source?.path === source.path) ?? body.stackFrames[0];
    };
    const frame = await top(threadId);
    assert.equal(frame.line, 21);

    const evaluate = async (expression, frameId) =>
      (await c.evaluateRequest({ expression, frameId, context: "watch" })).body.result;
    assert.equal(await evaluate("@* count", frame.id), "main: 0, server: 2");
    assert.equal(await evaluate("@main count", frame.id), "0");

    const { body: scopes } = await c.scopesRequest({ frameId: frame.id });
    const simulation = scopes.scopes.find((s) => s.name === "Simulation");
    const { body: world } = await c.variablesRequest({ variablesReference: simulation.variablesReference });
    const value = (name) => world.variables.find((v) => v.name === name)?.value;
    assert.match(value("step"), new RegExp(`^#${steps[1]} of `));
    assert.equal(value("seed"), "1");
    assert.equal(value("machines"), "2");

    const { body: complete } = await c.customRequest("completions", { frameId: frame.id, text: "r.Remote", column: 9 });
    assert.deepEqual(
      complete.targets.map((t) => t.label),
      ["RemoteAddr"],
    );
    const { body: modules } = await c.customRequest("modules", {});
    assert.ok(modules.modules.some((m) => m.isUserCode && m.path === module_));
    const { body: content } = await c.sourceRequest({ source, sourceReference: 0 });
    assert.match(content.content, /func TestMachines/);
    await assert.rejects(c.sourceRequest({ source: { path: "/etc/passwd" }, sourceReference: 0 }));

    // Jump to Cursor.
    const { body: goto_ } = await c.customRequest("gotoTargets", { source, line: 21 });
    assert.deepEqual(
      goto_.targets.map((t) => Number(/^#(\d+) server\/\d+ [\d:.]+ /.exec(t.label)[1])),
      steps,
    );
    let next = c.waitForEvent("stopped");
    await c.customRequest("goto", { threadId, targetId: goto_.targets[0].id });
    assert.equal((await next).body.text, `#${steps[0]}`);

    // The breakpoint's condition is about all machines: the first request does
    // not fulfil it.
    next = c.waitForEvent("stopped");
    await c.continueRequest({ threadId });
    const hit = (await next).body;
    assert.equal(hit.reason, "breakpoint");
    assert.equal(await evaluate("count", (await top(hit.threadId)).id), "2");

    // A change is marked, and a jump undoes it.
    const diverged = c.waitForEvent("restep/diverged");
    await c.customRequest("setExpression", { expression: "count", value: "40", frameId: (await top(hit.threadId)).id });
    assert.equal((await diverged).body.diverged, true);
    const converged = c.waitForEvent("restep/diverged");
    next = c.waitForEvent("stopped");
    await c.customRequest("restep/jump", { step: steps[1] });
    assert.equal((await converged).body.diverged, false);
    const here_ = (await next).body;
    assert.equal(await evaluate("count", (await top(here_.threadId)).id), "2");

    // Restart the frame: the handler begins again, before it has counted.
    next = c.waitForEvent("stopped");
    await c.customRequest("restartFrame", { frameId: (await top(here_.threadId)).id });
    const entered = (await next).body;
    assert.equal(entered.reason, "restart");
    assert.equal(await evaluate("count", (await top(entered.threadId)).id), "1");

    // Another seed; the breakpoint stays.
    next = c.waitForEvent("stopped");
    await c.customRequest("restart", { arguments: { program: module_, test: "TestMachines", seed: 2, step: null } });
    assert.deepEqual((await next).body.hitBreakpointIds, hit.hitBreakpointIds);
    await c.disconnectRequest({ terminateDebuggee: true });
  } finally {
    c.stopAdapter();
  }
  await gone("restep.test");
});

test("a killed client leaves nothing behind", async () => {
  const [step] = requests();
  const adapter = spawn(binary, ["dap"], { cwd: module_, stdio: ["pipe", "pipe", "inherit"] });
  let seq = 0;
  const send = (command, args) => {
    const text = JSON.stringify({ seq: ++seq, type: "request", command, arguments: args });
    adapter.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  let seen = "";
  const stopped = new Promise((resolve, reject) => {
    adapter.stdout.on("data", (d) => {
      seen += d;
      if (seen.includes('"event":"initialized"') && seq === 2) {
        send("configurationDone", {});
      }
      if (seen.includes('"event":"stopped"')) {
        resolve();
      }
    });
    adapter.on("exit", () => reject(new Error(`the adapter ended:\n${seen}`)));
  });
  send("initialize", { adapterID: "restep" });
  send("launch", { program: module_, test: "TestMachines", seed: 1, step });
  await stopped;
  const exited = new Promise((resolve) => adapter.on("exit", resolve));
  adapter.kill("SIGKILL");
  await exited;
  await gone("restep.test");
});

// gone waits until no process of ours runs the module's test binary.
async function gone(name) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const left = readdirSync("/proc").filter((pid) => {
      try {
        if (!/^\d+$/.test(pid)) {
          return false;
        }
        const status = readFileSync(`/proc/${pid}/stat`, "utf8");
        return (
          readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(name) &&
          readFileSync(`/proc/${pid}/environ`, "utf8").includes("RESTEP_ZYGOTE=1") &&
          !/\) Z /.test(status) &&
          readFileSync(`/proc/${pid}/maps`, "utf8").includes("/machines.test")
        );
      } catch {
        return false; // it has ended meanwhile
      }
    });
    if (left.length === 0) {
      return;
    }
    assert.ok(Date.now() < deadline, `still running: ${left.join(" ")}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("several real programs are one session", { timeout: 120_000 }, async () => {
  const c = client();
  await c.start();
  const cwd = join(root, "dap/testdata/processes");
  const port = await freePort();
  const server = { name: "server", program: "server", args: ["-addr", `127.0.0.1:${port}`], ready: { port } };
  const asking = { name: "client", program: "client", args: [`127.0.0.1:${port}`], dependsOn: ["server"] };
  await c.initializeRequest({ adapterID: "restep", linesStartAt1: true, columnsStartAt1: true, pathFormat: "path" });
  const initialized = c.waitForEvent("initialized");
  const stopped = c.waitForEvent("stopped");
  await c.launchRequest({ mode: "processes", cwd, processes: [server, asking] });
  await initialized;
  await c.setBreakpointsRequest({ source: { path: join(cwd, "work/work.go") }, breakpoints: [{ line: 13 }] });
  await c.configurationDoneRequest();
  const { body } = await stopped;
  assert.match(body.description, /^client: breakpoint/);
  const { threads } = (await c.threadsRequest()).body;
  assert.ok(threads.some((t) => /^server\/1 /.test(t.name)) && threads.some((t) => /^client\/1 /.test(t.name)));
  const of = threads.find((t) => t.name.startsWith("server/1 "));
  const { stackFrames } = (await c.stackTraceRequest({ threadId: of.id })).body;
  assert.ok(stackFrames.some((f) => f.name === "main.main"));
  const ended = c.waitForEvent("terminated");
  await c.terminateRequest({});
  await ended;
  await c.stop(); // disconnects
});

function freePort() {
  return new Promise((resolve) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}
