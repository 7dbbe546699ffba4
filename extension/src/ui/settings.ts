// The settings, and the program that they lead to.

import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import * as vscode from "vscode";
import { findBinary, missingBinary } from "../core/binary.js";
import { folderOf, importPath, moduleFolder } from "../core/gomod.js";

export interface Settings {
  readonly path: string;
  readonly buildFlags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly tests: string;
}

export function settings(scope?: vscode.Uri): Settings {
  const config = vscode.workspace.getConfiguration("restep", scope);
  return {
    path: config.get("path", ""),
    buildFlags: config.get<string[]>("buildFlags", []).filter((f) => typeof f === "string"),
    env: config.get<Record<string, string>>("env", {}),
    tests: config.get("tests", "auto"),
  };
}

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** binary returns the path of restep; an Error says what to do when there is none. */
export function binary(): string {
  const setting = settings().path;
  const { env, platform } = process;
  const path = findBinary({ setting, env, platform, home: homedir(), runnable });
  if (path === undefined) {
    throw new Error(missingBinary(setting));
  }
  return path;
}

export function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** packageOf returns the import path of the package in a folder. */
export function packageOf(dir: string): string | undefined {
  return importPath(dir, readFile);
}

/** packageFolder returns the folder of a package, given a file of the same module. */
export async function packageFolder(path: string, file: string): Promise<string | undefined> {
  const dir = dirname(file);
  if (packageOf(dir) === path) {
    return dir;
  }
  const module = moduleFolder(dir, readFile);
  return (module && folderOf(path, [module], readFile)) ?? (await findPackage(path));
}

/** findPackage returns the folder of a package of the workspace. */
export async function findPackage(path: string): Promise<string | undefined> {
  const files = await vscode.workspace.findFiles("**/go.mod", "**/{node_modules,vendor,.git}/**", 1000);
  return folderOf(
    path,
    files.map((f) => dirname(f.fsPath)),
    readFile,
  );
}

/** complain shows an error with what can be done about it. */
export function complain(e: unknown): void {
  const text = e instanceof Error ? e.message : String(e);
  const line = text.startsWith("restep") ? text : `restep: ${text}`;
  const open = line.includes("restep.path") ? ["Open Settings"] : [];
  void vscode.window.showErrorMessage(line, ...open).then((chosen) => {
    if (chosen) {
      void vscode.commands.executeCommand("workbench.action.openSettings", "restep.path");
    }
  });
}

/** trusted tells whether things may be run, and says so when they may not. */
export function trusted(): boolean {
  if (vscode.workspace.isTrusted) {
    return true;
  }
  const manage = "Manage Workspace Trust";
  void vscode.window
    .showWarningMessage("restep builds and runs the code of this folder, which is not trusted.", manage)
    .then((chosen) => chosen && vscode.commands.executeCommand("workbench.trust.manage"));
  return false;
}
