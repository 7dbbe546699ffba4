// Where the restep command is.

import { delimiter, isAbsolute, join } from "node:path";

export interface Places {
  /** The setting restep.path; "" is unset. */
  readonly setting: string;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** Tells whether a file can be run. */
  readonly runnable: (path: string) => boolean;
}

/** findBinary returns the path of restep: the setting, or from PATH, GOBIN, GOPATH/bin and ~/go/bin. */
export function findBinary(p: Places): string | undefined {
  if (p.setting !== "") {
    const path = p.setting.replace(/^~(?=\/|$)/, p.home);
    return isAbsolute(path) && p.runnable(path) ? path : undefined;
  }
  const name = p.platform === "win32" ? "restep.exe" : "restep";
  const folders = (p.env["PATH"] ?? "").split(delimiter);
  if (p.env["GOBIN"]) {
    folders.push(p.env["GOBIN"]);
  }
  for (const path of (p.env["GOPATH"] ?? "").split(delimiter)) {
    if (path !== "") {
      folders.push(join(path, "bin"));
    }
  }
  folders.push(join(p.home, "go", "bin"));
  // A relative entry of PATH would let the folder that is open choose the program.
  return folders
    .filter(isAbsolute)
    .map((dir) => join(dir, name))
    .find(p.runnable);
}

/** missingBinary says what to do when findBinary found nothing. */
export function missingBinary(setting: string): string {
  return setting === ""
    ? "restep: the restep command was not found in PATH or the Go bin folder; install it, or set restep.path"
    : `restep: the setting restep.path is not the absolute path of a program: ${setting}`;
}
