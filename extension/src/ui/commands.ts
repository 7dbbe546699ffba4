// The commands behind lenses, menus, keys and the palette.

import { dirname } from "node:path";
import * as vscode from "vscode";
import { testArguments } from "../core/cmdline.js";
import {
  commands,
  isSeedSet,
  isTestName,
  readArguments,
  readSeed,
  readStep,
  type TestArguments,
} from "../core/commands.js";
import { allTests, testAt } from "../core/gotest.js";
import { formatMoment, parseMoment } from "../core/moment.js";
import type { Client } from "./client.js";
import { goTo, startDebugging } from "./debug.js";
import { momentTarget } from "./links.js";
import type { Runner } from "./runner.js";
import type { Session, Sessions, Target } from "./sessions.js";
import { complain, findPackage, packageFolder, settings, trusted } from "./settings.js";

export interface Parts {
  readonly sessions: Sessions;
  readonly runner: Runner;
  readonly client: Client;
}

/** The last values of the input boxes. */
const last = { seed: "2", seeds: "1-100" };

export function registerCommands(parts: Parts): vscode.Disposable {
  const { sessions, client } = parts;
  const table: Record<string, (args: TestArguments, raw: unknown) => Promise<unknown>> = {
    [commands.runTest]: (args) => runTest(parts, args),
    [commands.runTestWithSeed]: (args) => runTestWithSeed(parts, args),
    [commands.explore]: (args) => explore(parts, args),
    [commands.debug]: (args) => debug(sessions, args),
    [commands.goToStep]: (args) => goToStep(parts, args),
    [commands.previousHit]: (_, raw) => toHit(parts, commands.previousHit, raw),
    [commands.nextHit]: (_, raw) => toHit(parts, commands.nextHit, raw),
    [commands.nextEvent]: () => activeSession(sessions).next(),
    [commands.previousEvent]: () => activeSession(sessions).previous(),
    [commands.copyLink]: (_, raw) => copyLink(sessions, raw),
    [commands.restartServer]: () => client.restart(),
    [commands.showServerLog]: async () => client.showLog(),
  };
  const registered = Object.entries(table).map(([name, run]) =>
    vscode.commands.registerCommand(name, async (raw?: unknown) => {
      try {
        return await run(readArguments(raw), raw);
      } catch (e) {
        complain(e);
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

function activeSession(sessions: Sessions): Session {
  const session = sessions.active();
  if (!session) {
    throw new Error("restep: no run is being debugged; click a step, or the lens of a test");
  }
  return session;
}

/** A test in a folder. */
interface Place {
  readonly dir: string;
  readonly test: string;
}

/** placeOf completes arguments from the active editor, and asks for the test when it is not clear. */
async function placeOf(args: TestArguments): Promise<Place | undefined> {
  const editor = vscode.window.activeTextEditor;
  const document = editor?.document.languageId === "go" ? editor.document : undefined;
  let dir: string | undefined;
  if (args.uri !== undefined) {
    const uri = vscode.Uri.parse(args.uri, true);
    if (uri.scheme === "file") {
      // The file of a log line may be of another package than the test.
      dir = args.package === undefined ? dirname(uri.fsPath) : await packageFolder(args.package, uri.fsPath);
    }
  } else if (args.package !== undefined) {
    dir = await findPackage(args.package);
  } else if (document?.uri.scheme === "file") {
    dir = dirname(document.uri.fsPath);
  }
  if (dir === undefined) {
    throw new Error("restep: open the Go file of a test first");
  }
  let test = args.test;
  if (test === undefined && editor && document) {
    const text = document.getText();
    test = testAt(text, editor.selection.active.line);
    if (test === undefined && allTests(text).length > 0) {
      test = await vscode.window.showQuickPick(allTests(text), { title: "Which test?" });
      if (test === undefined) {
        return undefined;
      }
    }
  }
  if (test === undefined || !isTestName(test)) {
    throw new Error(test === undefined ? "restep: this file has no test" : `restep: "${test}" is no name of a test`);
  }
  return { dir, test };
}

async function run(parts: Parts, place: Place, what: { seed: string } | { seeds: string }): Promise<number> {
  await vscode.workspace.saveAll(false);
  const { buildFlags, env } = settings(vscode.Uri.file(place.dir));
  return parts.runner.run(testArguments({ test: place.test, buildFlags, env, ...what }), place.dir);
}

async function runTest(parts: Parts, args: TestArguments): Promise<number | undefined> {
  const place = trusted() ? await placeOf(args) : undefined;
  return place && run(parts, place, { seed: args.seed ?? "1" });
}

async function runTestWithSeed(parts: Parts, args: TestArguments): Promise<number | undefined> {
  const place = trusted() ? await placeOf(args) : undefined;
  if (!place) {
    return undefined;
  }
  const seed = args.seed ?? readSeed(await askSeed(place.test));
  if (seed === undefined) {
    return undefined;
  }
  last.seed = seed;
  return run(parts, place, { seed });
}

function askSeed(test: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: `Run ${test} with a seed`,
    prompt: "The number that fixes schedule, randomness and faults",
    value: last.seed,
    validateInput: (text) =>
      readSeed(text) === undefined ? "A whole number from 0 to 18446744073709551615" : undefined,
  });
}

async function explore(parts: Parts, args: TestArguments): Promise<number | undefined> {
  const place = trusted() ? await placeOf(args) : undefined;
  if (!place) {
    return undefined;
  }
  let seeds = args.seeds;
  if (seeds === undefined || !isSeedSet(seeds)) {
    seeds = await vscode.window.showInputBox({
      title: `Explore ${place.test}`,
      prompt: "Seeds, as 1-100 or 1,5,7-9",
      value: last.seeds,
      validateInput: (text) => (isSeedSet(text) ? undefined : "Numbers and ranges with commas: 1-100 or 1,5,7-9"),
    });
    if (seeds === undefined) {
      return undefined;
    }
    last.seeds = seeds;
  }
  return run(parts, place, { seeds });
}

async function debug(sessions: Sessions, args: TestArguments): Promise<void> {
  const place = trusted() ? await placeOf(args) : undefined;
  if (place) {
    await vscode.workspace.saveAll(false);
    await startDebugging(sessions, toTarget(place, args), args.step);
  }
}

function toTarget(place: Place, args: TestArguments): Target {
  return { program: place.dir, cwd: place.dir, test: place.test, seed: args.seed ?? "1" };
}

/** goToStep goes to the step of a lens; without one it asks. */
async function goToStep(parts: Parts, args: TestArguments): Promise<void> {
  if (!trusted()) {
    return;
  }
  if (args.step !== undefined && args.test !== undefined) {
    const place = await placeOf(args);
    return place && goTo(parts.sessions, toTarget(place, args), args.step);
  }
  const session = parts.sessions.active();
  const total = session?.total;
  const text = await vscode.window.showInputBox({
    title: "Go to Step",
    prompt: session ? `#1 to #${total ?? "…"} of ${session.test}, seed ${session.seed}, or a link` : "A link to a step",
    placeHolder: session ? "#412" : "restep://v1/example.org/bank?test=TestTransfer&seed=37&step=412",
    validateInput: (value) => (value.includes("://") || (session && readStep(value)) ? undefined : "No step"),
  });
  if (text === undefined) {
    return;
  }
  const step = readStep(text);
  if (step !== undefined && session) {
    return session.jump(step);
  }
  const moment = parseMoment(text.trim());
  return goTo(parts.sessions, await momentTarget(moment), moment.step ?? 1);
}

/** toHit has the server show another step of a line, and takes a session about that run there. */
async function toHit(parts: Parts, command: string, raw: unknown): Promise<void> {
  const answer = readArguments(await parts.client.command(command, [raw]));
  const args = { ...readArguments(raw), ...answer };
  if (args.step === undefined || args.test === undefined || args.uri === undefined) {
    return;
  }
  const place = await placeOf(args);
  const session = place && parts.sessions.find(toTarget(place, args));
  await session?.jump(args.step);
}

/** copyLink copies the link of a code action, or that of the step where a session is. */
async function copyLink(sessions: Sessions, raw: unknown): Promise<void> {
  const given = (raw as { link?: unknown } | null | undefined)?.link;
  if (typeof given === "string") {
    return copy(formatMoment(parseMoment(given)));
  }
  const session = activeSession(sessions);
  const { step } = session.position;
  const test = session.test.split("/")[0] ?? "";
  const link = formatMoment({
    package: session.package,
    test,
    seed: session.seed,
    ...(step === undefined ? {} : { step }),
  });
  await copy(link);
}

async function copy(link: string): Promise<void> {
  await vscode.env.clipboard.writeText(link);
  vscode.window.setStatusBarMessage(`restep: copied ${link}`, 4000);
}
