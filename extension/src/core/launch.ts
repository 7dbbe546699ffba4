// Launch configurations of debug type restep. The attributes are those of
// restep dap (package dap); package is another word for program.

import { isAbsolute } from "node:path";
import { isTestName, readSeed, readStep } from "./commands.js";

export interface LaunchConfig {
  type: "restep";
  request: "launch";
  name: string;
  /** Folder or import path of the package under test. */
  program: string;
  /** Where the go command runs. */
  cwd?: string;
  test: string;
  seed: string;
  step?: number;
  stopOnEntry?: boolean;
  env: Record<string, string | null>;
  buildFlags: string[];
  [more: string]: unknown;
}

/** What a configuration is completed from. */
export interface LaunchContext {
  readonly folder?: string;
  /** The folder of the Go file in the active editor, and the test at its cursor. */
  readonly activeDir?: string;
  readonly activeTest?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly buildFlags: readonly string[];
}

/** Several real programs instead of a simulated test; the rest is of package dap/processes. */
export interface ProcessesConfig {
  type: "restep";
  request: "launch";
  name: string;
  mode: "processes";
  cwd?: string;
  processes: Record<string, unknown>[];
  [more: string]: unknown;
}

/** isProcesses tells whether a configuration is about several real programs. */
export function isProcesses(config: Readonly<Record<string, unknown>>): boolean {
  return config["mode"] === "processes";
}

/** resolveProcesses checks and completes such a configuration; an Error says what to change. */
export function resolveProcesses(config: Record<string, unknown>, ctx: LaunchContext): ProcessesConfig {
  launchOnly(config);
  const list = config["processes"];
  if (!Array.isArray(list) || list.length === 0) {
    throw new Error('restep: mode "processes" needs "processes", a list with at least one');
  }
  for (const other of ["test", "seed", "step"]) {
    if (config[other] !== undefined) {
      throw new Error(`restep: "${other}" is of simulated tests; in mode "processes" a process may have a "test"`);
    }
  }
  const names = new Set<string>();
  const processes = list.map((p: unknown, i) => checkProcess(p, i + 1, names));
  const end = text(config, "endWith");
  for (const name of [...processes.flatMap((p) => p["dependsOn"] ?? []), ...(end === undefined ? [] : [end])]) {
    if (!names.has(String(name))) {
      throw new Error(`restep: the launch configuration has no process "${String(name)}"`);
    }
  }
  const cwd = text(config, "cwd") ?? ctx.folder;
  return {
    hideSystemGoroutines: true,
    ...config,
    type: "restep",
    request: "launch",
    mode: "processes",
    name: text(config, "name") ?? [...names].join(", "),
    ...(cwd === undefined ? {} : { cwd }),
    env: environment(config["env"]),
    processes,
  };
}

function checkProcess(value: unknown, number: number, names: Set<string>): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`restep: process ${number} of the launch configuration must be an object`);
  }
  const process = value as Record<string, unknown>;
  const name = text(process, "name");
  if (name === undefined || text(process, "program") === undefined) {
    throw new Error(`restep: process ${number} of the launch configuration needs "name" and "program"`);
  }
  if (names.has(name)) {
    throw new Error(`restep: the launch configuration has two processes "${name}"`);
  }
  names.add(name);
  environment(process["env"]);
  return process;
}

function launchOnly(config: Record<string, unknown>): void {
  if (config["request"] !== undefined && config["request"] !== "launch") {
    throw new Error(`restep knows no request "${String(config["request"])}": a simulated run is launched`);
  }
}

/** resolveLaunch checks and completes a configuration; an Error says what to change. */
export function resolveLaunch(config: Record<string, unknown>, ctx: LaunchContext): LaunchConfig {
  launchOnly(config);
  if (config["processes"] !== undefined) {
    throw new Error('restep: "processes" of the launch configuration needs "mode": "processes"');
  }
  const test = text(config, "test") ?? ctx.activeTest;
  if (test === undefined) {
    throw new Error('restep: the launch configuration has no "test"; name one, or put the cursor into a test');
  }
  if (!isTestName(test)) {
    throw new Error(`restep: "${test}" is no name of a test`);
  }
  const program = text(config, "program") ?? text(config, "package") ?? ctx.activeDir ?? ctx.folder;
  if (program === undefined) {
    throw new Error('restep: the launch configuration has no "program"; name the folder of a package');
  }
  const { package: _, ...rest } = config;
  const seed = required(config, "seed", readSeed, "a number below 2^64") ?? "1";
  const step = required(config, "step", readStep, "a number from 1");
  const cwd = text(config, "cwd") ?? (isAbsolute(program) ? program : ctx.folder);
  return {
    hideSystemGoroutines: true, // the runtime's own are of no machine
    ...rest,
    type: "restep",
    request: "launch",
    name: text(config, "name") || `${test} seed ${seed}`,
    program,
    test,
    seed,
    ...(cwd === undefined ? {} : { cwd }),
    ...(step === undefined ? {} : { step }),
    env: { ...ctx.env, ...environment(config["env"]) },
    buildFlags: flags(config["buildFlags"]) ?? [...ctx.buildFlags],
  };
}

function text(config: Record<string, unknown>, key: string): string | undefined {
  const value = config[key];
  if (value !== undefined && typeof value !== "string") {
    throw new Error(`restep: "${key}" of the launch configuration must be text`);
  }
  return value === "" ? undefined : value;
}

function required<T>(
  config: Record<string, unknown>,
  key: string,
  read: (value: unknown) => T | undefined,
  want: string,
): T | undefined {
  if (config[key] === undefined || config[key] === "") {
    return undefined;
  }
  const value = read(config[key]);
  if (value === undefined) {
    throw new Error(`restep: "${key}" of the launch configuration is ${JSON.stringify(config[key])}; want ${want}`);
  }
  return value;
}

function environment(value: unknown): Record<string, string | null> {
  if (value === undefined) {
    return {};
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error('restep: "env" of the launch configuration must be an object of texts');
  }
  const out: Record<string, string | null> = {};
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string" && text !== null) {
      throw new Error(`restep: "env" of the launch configuration: ${name} must be text or null`);
    }
    out[name] = text;
  }
  return out;
}

function flags(value: unknown): string[] | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (typeof value === "string") {
    return value.split(/\s+/).filter((f) => f !== "");
  }
  if (!Array.isArray(value) || value.some((f) => typeof f !== "string")) {
    throw new Error('restep: "buildFlags" of the launch configuration must be a list of texts');
  }
  return value;
}
