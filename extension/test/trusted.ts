import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { commands } from "../src/core/commands.js";
import type { Session } from "../src/ui/sessions.js";
import { api, eventually, file, folder, show } from "./help.js";
import type { Tests } from "./index.js";

const seed = "5";

function testArguments(more: object = {}): object {
  return { uri: file().toString(), package: "example.org/machines", test: "TestMachines", seed: Number(seed), ...more };
}

async function lenses(): Promise<vscode.CodeLens[]> {
  return (await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", file(), 100)) ?? [];
}

async function hints(): Promise<string[]> {
  const all = new vscode.Range(0, 0, 1000, 0);
  const found = await vscode.commands.executeCommand<vscode.InlayHint[]>(
    "vscode.executeInlayHintProvider",
    file(),
    all,
  );
  return (found ?? []).map((h) => (typeof h.label === "string" ? h.label : h.label.map((p) => p.value).join("")));
}

/** ours returns the terminal of the extension. */
function ours(): vscode.Terminal {
  const terminal = vscode.window.terminals.find((t) => t.name === "restep");
  assert.ok(terminal);
  return terminal;
}

/** processes returns the parent and the command line of each process. */
function processes(): { pid: number; parent: number; line: string[] }[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const line = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      return state === "Z" ? [] : [{ pid: Number(name), parent: Number(parent), line }];
    } catch {
      return [];
    }
  });
}

/** children returns the processes of restep that a process has started, by restep's command. */
function children(parent: number, command: string): number[] {
  return processes().flatMap((p) => (p.parent === parent && p.line[1] === command ? [p.pid] : []));
}

function descendants(of: number): number[] {
  return processes().flatMap((p) => (p.parent === of ? [p.pid, ...descendants(p.pid)] : []));
}

function alive(pid: number): boolean {
  return processes().some((p) => p.pid === pid);
}

async function stoppedAt(step: number): Promise<Session> {
  const { sessions } = await api();
  return eventually(`a stop at #${step}`, () => {
    const session = sessions.active();
    return session?.position.state === "stopped" && session.position.step === step && session;
  });
}

/** requests returns the steps of a log line. */
async function requests(session: Session): Promise<number[]> {
  const { steps } = await session.steps({ grep: "got a request", kind: "log" });
  return steps.map((s) => s.step);
}

export const trusted: Tests = {
  "all commands are there": async () => {
    await api();
    const all = await vscode.commands.getCommands(true);
    assert.deepEqual(
      Object.values(commands).filter((c) => !all.includes(c)),
      [],
    );
  },

  "the server runs and shows lenses on the test": async () => {
    const { client } = await api();
    await show();
    await eventually("the server", () => client.running);
    const found = await eventually("lenses", async () => {
      const list = await lenses();
      return list.some((l) => l.command?.command === commands.runTest) && list;
    });
    const titles = found.map((l) => l.command?.title);
    const at = titles.indexOf("run seed 1");
    assert.deepEqual(titles.slice(at, at + 4), ["run seed 1", "run with seed…", "explore 1–100", "debug"]);
    assert.ok(found.every((l) => Object.values<string>(commands).includes(l.command?.command ?? "")));
  },

  "a run in our terminal gives hints": async () => {
    assert.equal(await vscode.commands.executeCommand(commands.runTest, testArguments()), 0);
    await eventually("hints", async () => (await hints()).some((h) => /^#\d+\sserver\/\d+\s×4$/.test(h.trim())));
  },

  "links in comments lead to this window": async () => {
    const uri = vscode.Uri.file(join(folder(), "links", "links.go"));
    const link = "restep://v1/example.org/machines?test=TestMachines&seed=5&step=20";
    await vscode.workspace.fs.writeFile(uri, Buffer.from(`// Package links: see ${link}\npackage links\n`));
    await vscode.workspace.openTextDocument(uri);
    const found = await eventually("a link", async () => {
      const all = await vscode.commands.executeCommand<vscode.DocumentLink[]>("vscode.executeLinkProvider", uri, 10);
      return all?.find((l) => l.target?.authority === "restep.restep");
    });
    assert.equal(found.target?.scheme, vscode.env.uriScheme);
    assert.equal(found.target?.path, "/v1/example.org/machines");
    await vscode.workspace.fs.delete(vscode.Uri.file(join(folder(), "links")), { recursive: true });
  },

  "a code action copies the link to the step of a line": async () => {
    const range = new vscode.Range(20, 4, 20, 4);
    const found = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      file(),
      range,
    );
    const copy = found.find((a) => /^Copy link to #\d+/.test(a.title));
    assert.ok(copy?.command, found.map((a) => a.title).join("; "));
    await vscode.commands.executeCommand(copy.command.command, ...(copy.command.arguments ?? []));
    const step = /#(\d+)/.exec(copy.title)?.[1];
    const text = await vscode.env.clipboard.readText();
    assert.ok(text.startsWith("restep://v1/example.org/machines?test=TestMachines&seed=5&"), text);
    assert.ok(text.includes(`step=${step}`), text);
  },

  "explore takes its seeds from the lens": async () => {
    const args = { ...testArguments(), seed: undefined, seeds: "1-3" };
    assert.equal(await vscode.commands.executeCommand(commands.explore, args), 0);
  },

  "a failing build gives an exit code": async () => {
    const bad = testArguments({ test: "TestMachines", seeds: "9" });
    const config = vscode.workspace.getConfiguration("restep");
    await config.update("buildFlags", ["-tags=a b", "-nonsense"], vscode.ConfigurationTarget.Workspace);
    try {
      assert.notEqual(await vscode.commands.executeCommand(commands.runTest, bad), 0);
    } finally {
      await config.update("buildFlags", undefined, vscode.ConfigurationTarget.Workspace);
    }
  },

  "steps are links in our terminals, and elsewhere only when they surely are steps": async () => {
    const { links } = await api();
    const foreign = vscode.window.createTerminal({ name: "other", hideFromUser: true });
    const find = (terminal: vscode.Terminal, line: string) =>
      links.provideTerminalLinks({ terminal, line }).map((l) => line.slice(l.startIndex, l.startIndex + l.length));
    const line = "  104 server/21  14:10:04.000 INF machines_test.go:21 > got a request, see #77";
    assert.deepEqual(find(ours(), line), ["104", "#77"]);
    assert.deepEqual(find(ours(), "fixes #12"), ["#12"]);
    assert.deepEqual(find(foreign, "fixes #12"), []);
    assert.deepEqual(find(foreign, line), ["104", "#77"]);
    assert.deepEqual(find(foreign, "restep://v1/a/b?test=TestX&seed=1&step=9"), [
      "restep://v1/a/b?test=TestX&seed=1&step=9",
    ]);
    foreign.dispose();
  },

  "the lens debug stops at the first step of the test": async () => {
    await vscode.commands.executeCommand(commands.debug, testArguments());
    const { sessions } = await api();
    const session = await eventually("a stop", () => {
      const s = sessions.active();
      return s?.position.state === "stopped" && s;
    });
    assert.equal(session.debug.type, "restep");
    assert.deepEqual([session.test, session.seed, session.package], ["TestMachines", seed, "example.org/machines"]);
    await eventually("the number of steps", () => session.total);
  },

  "a lens of a step moves the session that is there": async () => {
    const { sessions } = await api();
    const session = sessions.active();
    assert.ok(session);
    const [first = 0, second = 0] = await requests(session);
    await vscode.commands.executeCommand(commands.goToStep, testArguments({ step: second }));
    assert.equal(await stoppedAt(second), session);
    await vscode.commands.executeCommand(commands.goToStep, testArguments({ step: first })); // backwards
    assert.equal(await stoppedAt(first), session);
    await eventually("the step", () => session.current?.step === first && session.current.machine === "server");
    const stack = await session.debug.customRequest("stackTrace", { threadId: session.current?.goroutine });
    const user = stack.stackFrames.find((f: { presentationHint?: string }) => f.presentationHint !== "subtle");
    assert.ok(user.source.path.endsWith(file().path), user.source.path); // a remote window adds its scheme
    assert.equal(user.line, 21);
  },

  "next and previous event move by one": async () => {
    const { sessions } = await api();
    const session = sessions.active();
    assert.ok(session);
    const [first = 0] = await requests(session);
    await vscode.commands.executeCommand(commands.nextEvent);
    await stoppedAt(first + 1);
    await vscode.commands.executeCommand(commands.previousEvent);
    await stoppedAt(first);
    await session.jump(1);
    await assert.rejects(session.previous(), /first event/);
    await session.jump(session.total ?? 0);
    await assert.rejects(session.next(), /last event/);
    await assert.rejects(session.jump((session.total ?? 0) + 1), /#\d+/);
    await session.jump(first);
  },

  "many clicks at once end at the last": async () => {
    const { sessions } = await api();
    const session = sessions.active();
    assert.ok(session);
    const [first = 0, second = 0, third = 0] = await requests(session);
    await Promise.all([session.jump(third), session.jump(first), session.jump(second)]);
    await stoppedAt(second);
  },

  "step back goes to the line before, reverse to the breakpoint hit before": async () => {
    const { sessions } = await api();
    const session = sessions.active();
    assert.ok(session);
    const [first = 0, second = 0] = await requests(session);
    await session.jump(second);
    const thread = (await eventually("the step", () => session.current)).goroutine;
    const line = async () => {
      const stack = await session.debug.customRequest("stackTrace", { threadId: thread });
      return stack.stackFrames.find((f: { presentationHint?: string }) => f.presentationHint !== "subtle")?.line;
    };
    const move = async (command: string) => {
      const stop = session.position.nextStop();
      await session.debug.customRequest(command, { threadId: thread });
      await stop;
    };
    await move("next");
    assert.equal(await line(), 22);
    await move("stepBack");
    assert.equal(await line(), 21);
    const breakpoint = new vscode.SourceBreakpoint(new vscode.Location(file(), new vscode.Position(19, 0)));
    vscode.debug.addBreakpoints([breakpoint]);
    await eventually("the breakpoint", () => session.debug.getDebugProtocolBreakpoint(breakpoint));
    await move("reverseContinue");
    assert.equal(await line(), 20);
    await move("reverseContinue");
    assert.equal(await line(), 20);
    assert.ok((session.position.step ?? 0) < first, `#${session.position.step} is before the first request, #${first}`);
    vscode.debug.removeBreakpoints([breakpoint]);
  },

  "links from outside move the session, and bad ones do nothing": async () => {
    const { links, sessions } = await api();
    const session = sessions.active();
    assert.ok(session);
    const [, second = 0] = await requests(session);
    const uri = (text: string) => vscode.Uri.parse(`${vscode.env.uriScheme}://restep.restep${text}`);
    await links.handleUri(uri(`/v1/example.org/machines?test=TestMachines&seed=${seed}&step=${second}`));
    await stoppedAt(second);
    for (const bad of [
      "/v2/example.org/machines?test=TestMachines&seed=5",
      "/v1/example.org/machines?test=-exec&seed=5",
      "/v1/../machines?test=TestMachines&seed=5",
      "/v1/example.org/elsewhere?test=TestMachines&seed=5",
    ]) {
      await links.handleUri(uri(bad));
    }
    await stoppedAt(second);
  },

  "the link of a step is copied": async () => {
    const { sessions } = await api();
    const step = sessions.active()?.position.step;
    await vscode.commands.executeCommand(commands.copyLink);
    const want = `restep://v1/example.org/machines?test=TestMachines&seed=${seed}&step=${step}`;
    assert.equal(await vscode.env.clipboard.readText(), want);
  },

  "another run takes the place of the session": async () => {
    const { sessions } = await api();
    const old = sessions.active();
    await vscode.commands.executeCommand(commands.goToStep, testArguments({ seed: 6, step: 20 }));
    const session = await stoppedAt(20);
    assert.notEqual(session, old);
    assert.equal(session.seed, "6");
    assert.equal(old?.position.state, "ended");
    assert.equal(vscode.debug.activeDebugSession?.id, session.debug.id);
  },

  "stopping ends the sessions": async () => {
    const { sessions } = await api();
    await vscode.debug.stopDebugging();
    await eventually("the end", () => sessions.active() === undefined);
  },

  "an empty configuration debugs the test at the cursor, with the settings": async () => {
    const { sessions } = await api();
    const editor = await show();
    const line = editor.document.getText().split("\n").indexOf("\trequest()");
    editor.selection = new vscode.Selection(line, 0, line, 0);
    const config = vscode.workspace.getConfiguration("restep");
    await config.update("env", { REGION: "eu" }, vscode.ConfigurationTarget.Workspace);
    await config.update("buildFlags", ["-p=2"], vscode.ConfigurationTarget.Workspace);
    try {
      const root = vscode.workspace.workspaceFolders?.[0];
      assert.ok(
        await vscode.debug.startDebugging(root, { type: "restep", request: "launch", name: "", seed: "7", step: 20 }),
      );
      const session = await stoppedAt(20);
      const { program, cwd, test, seed, env, buildFlags, name } = session.debug.configuration;
      assert.deepEqual(
        { program, cwd, test, seed, env, buildFlags, name },
        {
          program: folder(),
          cwd: folder(),
          test: "TestMachines",
          seed: "7",
          env: { REGION: "eu" },
          buildFlags: ["-p=2"],
          name: "TestMachines seed 7",
        },
      );
    } finally {
      await config.update("env", undefined, vscode.ConfigurationTarget.Workspace);
      await config.update("buildFlags", undefined, vscode.ConfigurationTarget.Workspace);
      await vscode.debug.stopDebugging();
    }
    await eventually("the end", () => sessions.active() === undefined);
  },

  "real programs are one session, and no run": async () => {
    const { sessions } = await api();
    const root = vscode.workspace.workspaceFolders?.[0];
    const dir = join(folder(), "programs");
    const text = `package main\n\nimport "time"\n\nfunc main() {\n\tfor {\n\t\ttime.Sleep(time.Hour)\n\t}\n}\n`;
    await vscode.workspace.fs.writeFile(vscode.Uri.file(join(dir, "main.go")), Buffer.from(text));
    const processes = ["one", "two"].map((name) => ({ name, program: dir }));
    try {
      const config = { type: "restep", request: "launch", mode: "processes", name: "", processes };
      assert.ok(await vscode.debug.startDebugging(root, config));
      const session = await eventually("the session", () => vscode.debug.activeDebugSession);
      assert.equal(session.configuration.name, "one, two");
      const names = await eventually("both threads", async () => {
        const { threads } = (await session.customRequest("threads")) as { threads: { name: string }[] };
        return threads.length === 2 && threads.map((t) => t.name).join();
      });
      assert.match(names, /^one\/1 .*,two\/1 /);
      assert.equal(sessions.active(), undefined, "it has no steps");
    } finally {
      await vscode.debug.stopDebugging();
      await vscode.workspace.fs.delete(vscode.Uri.file(dir), { recursive: true });
    }
    await eventually("the end", () => vscode.debug.activeDebugSession === undefined);
  },

  "bad configurations start nothing": async () => {
    const root = vscode.workspace.workspaceFolders?.[0];
    const config = { type: "restep", request: "launch", name: "bad" };
    const none = { mode: "processes", processes: [{ name: "a" }] };
    for (const bad of [none, { test: "-x" }, { test: "TestMachines", seed: -1 }, { test: "TestMachines", step: 0 }]) {
      assert.equal(await vscode.debug.startDebugging(root, { ...config, program: folder(), ...bad }), false);
    }
    assert.equal(vscode.debug.activeDebugSession, undefined);
  },

  "hovers hold no trusted markdown": async () => {
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      "vscode.executeHoverProvider",
      file(),
      new vscode.Position(20, 8),
    );
    const texts = hovers.flatMap((h) => h.contents);
    assert.ok(texts.length > 0);
    for (const text of texts) {
      assert.ok(text instanceof vscode.MarkdownString);
      assert.ok(!text.isTrusted && !text.supportHtml);
    }
  },

  "killing the adapter ends the session and all that it started": async () => {
    const { sessions } = await api();
    await vscode.commands.executeCommand(commands.goToStep, testArguments({ step: 20 }));
    await stoppedAt(20);
    const [adapter = 0] = children(process.pid, "dap");
    const below = descendants(adapter);
    assert.ok(below.length > 0);
    process.kill(adapter, "SIGKILL");
    await eventually("the end", () => sessions.active() === undefined);
    await eventually("the end of the simulation", () => !below.some(alive));
  },

  "a killed server comes back": async () => {
    const { client } = await api();
    const [server = 0] = children(process.pid, "lsp");
    process.kill(server, "SIGKILL");
    await eventually("another server", () => client.running && children(process.pid, "lsp").some((p) => p !== server));
    await eventually("hints", async () => (await hints()).length > 0);
  },
};
