// Import paths and folders, by the go.mod above them.

import { dirname, join, relative, sep } from "node:path";

/** Returns the text of a file, undefined when there is none. */
export type ReadFile = (path: string) => string | undefined;

/** moduleFolder returns the folder of the module that a folder belongs to. */
export function moduleFolder(dir: string, read: ReadFile): string | undefined {
  for (let at = dir; ; at = dirname(at)) {
    if (modulePath(read(join(at, "go.mod"))) !== undefined) {
      return at;
    }
    if (dirname(at) === at) {
      return undefined;
    }
  }
}

/** importPath returns the import path of the package in a folder, undefined outside of modules. */
export function importPath(dir: string, read: ReadFile): string | undefined {
  const root = moduleFolder(dir, read);
  const module = root && modulePath(read(join(root, "go.mod")));
  if (root === undefined || module === undefined) {
    return undefined;
  }
  const rest = relative(root, dir).split(sep).join("/");
  return rest === "" ? module : `${module}/${rest}`;
}

/** modulePath reads the module line of a go.mod (go.dev/ref/mod#go-mod-file-module). */
export function modulePath(text: string | undefined): string | undefined {
  const m = /^\s*module\s+(?:"([^"]+)"|`([^`]+)`|([^\s"`/][^\s"`]*))\s*(?:\/\/.*)?$/m.exec(text ?? "");
  return m?.[1] ?? m?.[2] ?? m?.[3];
}

/**
 * folderOf returns the folder of a package below one of the modules, given by
 * the folders of their go.mod files; undefined when none of them has it.
 */
export function folderOf(path: string, modules: readonly string[], read: ReadFile): string | undefined {
  let best: { dir: string; length: number } | undefined;
  for (const dir of modules) {
    const module = modulePath(read(join(dir, "go.mod")));
    if (module === undefined || (path !== module && !path.startsWith(`${module}/`))) {
      continue;
    }
    if (!best || module.length > best.length) {
      best = { dir: join(dir, path.slice(module.length)), length: module.length };
    }
  }
  return best?.dir;
}
