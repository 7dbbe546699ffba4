// Step numbers in terminals, and links to steps from outside.

import { isAbsolute, resolve } from "node:path";
import * as vscode from "vscode";
import { findLinks, isOurs, plain, type StepLink } from "../core/lines.js";
import { type Moment, parseParts } from "../core/moment.js";
import type { LineStore, Run } from "../core/tracker.js";
import { goTo } from "./debug.js";
import type { Runner } from "./runner.js";
import type { Sessions, Target } from "./sessions.js";
import { complain, findPackage, trusted } from "./settings.js";

class TerminalStep extends vscode.TerminalLink {
  constructor(
    readonly link: StepLink,
    readonly line: string,
    readonly terminal: vscode.Terminal,
  ) {
    super(link.start, link.length, `Go to #${link.step} in the debugger`);
  }
}

/** Links opens steps that are clicked. */
export class Links implements vscode.TerminalLinkProvider<TerminalStep>, vscode.UriHandler {
  constructor(
    private readonly sessions: Sessions,
    private readonly lines: LineStore,
    private readonly runner: Runner,
  ) {}

  provideTerminalLinks(context: vscode.TerminalLinkContext): TerminalStep[] {
    // Others print #12 too: it is a step only where restep has printed.
    const known = this.runner.owns(context.terminal) || this.lines.runs(context.line).length > 0;
    if (!known && !isOurs(context.line)) {
      return [];
    }
    return findLinks(context.line).map((link) => new TerminalStep(link, plain(context.line), context.terminal));
  }

  async handleTerminalLink(clicked: TerminalStep): Promise<void> {
    try {
      const { step } = clicked.link;
      const target = await this.target(clicked);
      if (target && trusted()) {
        await goTo(this.sessions, target, step);
      }
    } catch (e) {
      complain(e);
    }
  }

  /** target finds out which run a link is about. */
  private async target({ link, line, terminal }: TerminalStep): Promise<Target | undefined> {
    if (link.moment) {
      return momentTarget(link.moment);
    }
    const runs = this.lines.runs(line);
    if (link.command) {
      const { package: pkg, ...rest } = link.command;
      const cwd = runs[0]?.cwd ?? terminal.shellIntegration?.cwd?.fsPath ?? firstFolder();
      const program = pkg.startsWith(".") || isAbsolute(pkg) ? resolve(cwd ?? ".", pkg) : pkg;
      return { ...rest, program, cwd: isAbsolute(program) ? program : cwd };
    }
    if (runs.length > 1) {
      return pickRun(runs, link.step);
    }
    if (runs[0]) {
      return runTarget(runs[0]);
    }
    const session = this.sessions.active();
    if (session) {
      return { program: session.package, test: session.test, seed: session.seed };
    }
    throw new Error(
      `restep: which run #${link.step} is of is not known; run the test with its lens, or with restep test -v in a terminal of this window`,
    );
  }

  /** handleUri opens vscode://restep.restep/v1/..., which anyone may have sent. */
  async handleUri(uri: vscode.Uri): Promise<void> {
    try {
      if (!uri.path.startsWith("/v1/")) {
        throw new Error(`restep: this version does not know links like ${uri.path}`);
      }
      const moment = parseParts(uri.path.slice("/v1/".length), uri.query);
      if (!trusted()) {
        return;
      }
      const target = await momentTarget(moment);
      const go = `Debug ${moment.test}`;
      const detail = `Package ${moment.package}, seed ${moment.seed}${moment.step ? `, #${moment.step}` : ""}. It is built from the source in this window.`;
      const open = this.sessions.find(target) !== undefined;
      if (
        !open &&
        (await vscode.window.showInformationMessage("Open a link to a step?", { modal: true, detail }, go)) !== go
      ) {
        return;
      }
      await goTo(this.sessions, target, moment.step ?? 1);
    } catch (e) {
      complain(e);
    }
  }
}

function firstFolder(): string | undefined {
  return vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
}

function runTarget(run: Run): Target {
  const program = run.program === "" ? run.cwd : run.program;
  return { program, cwd: run.cwd, test: run.test, seed: run.seed };
}

async function pickRun(runs: readonly Run[], step: number): Promise<Target | undefined> {
  const items = runs.map((run) => ({ label: `${run.test} seed ${run.seed}`, description: run.program, run }));
  const title = `#${step} of which run? All of these printed this line`;
  return vscode.window.showQuickPick(items, { title }).then((item) => item && runTarget(item.run));
}

/** momentTarget finds the package of a link in the workspace. */
export async function momentTarget(m: Moment): Promise<Target> {
  const program = await findPackage(m.package);
  if (program === undefined) {
    throw new Error(`restep: no module of this workspace has the package ${m.package}; open its folder first`);
  }
  const variant = m.variant !== undefined && /[^0]/.test(m.variant) ? { variant: m.variant } : {};
  return { program, cwd: program, test: m.test, seed: m.seed, ...variant };
}
