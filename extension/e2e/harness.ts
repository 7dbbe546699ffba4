// Starts real VS Code, as code-server with Chromium in front of it, with a
// profile, a workspace and a restep of its own. .ci/code-server.sh installs it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

/** The folder of the extension: all commands of package.json run there. */
export const extension = process.cwd();
export const repository = resolve(extension, "..");
const startMs = 120_000;

/** Everything that one test run writes. */
export interface Folders {
  readonly root: string;
  readonly bin: string;
  readonly workspace: string;
  /** For screenshots. */
  readonly artefacts: string;
}

/** codeServer returns the program, undefined when it is not installed. */
export function codeServer(): string | undefined {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const dir = process.env["RESTEP_CODE_SERVER"] || join(cache, "restep", "code-server");
  const program = join(dir, "node_modules", ".bin", "code-server");
  return existsSync(program) ? program : undefined;
}

/** prepare builds restep, or takes RESTEP_BINARY, and copies the cases into a module of their own. */
export async function prepare(): Promise<Folders> {
  const root = mkdtempSync(join(tmpdir(), "restep-vscode-"));
  const [bin, workspace] = [join(root, "bin"), join(root, "machines")];
  const artefacts = process.env["RESTEP_ARTEFACTS"] || join(extension, "artefacts");
  for (const dir of [bin, workspace, artefacts, join(workspace, ".vscode")]) {
    mkdirSync(dir, { recursive: true });
  }
  const made = process.env["RESTEP_BINARY"];
  if (made) {
    await cp(made, join(bin, "restep"));
  } else {
    execFileSync("go", ["build", "-o", join(bin, "restep"), "./cmd/restep"], { cwd: repository, stdio: "inherit" });
  }
  const cases = join(repository, "cmd", "restep", "testdata", "cases");
  await cp(join(cases, "machines", "machines_test.go"), join(workspace, "machines_test.go"));
  writeFileSync(join(workspace, "go.mod"), goMod("example.org/machines"));
  return { root, bin, workspace, artefacts };
}

/** goMod returns the go.mod of a module that may import sim. */
export function goMod(path: string): string {
  const restep = "github.com/restep/restep";
  return `module ${path}\n\ngo 1.26\n\nrequire ${restep} v0.0.0\n\nreplace ${restep} => ${repository}\n`;
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer().once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address ? done(address.port) : failed(new Error("no port"))));
    });
  });
}

export interface ServerOptions {
  /** Folders are trusted without a question. */
  readonly trust: boolean;
  /** Settings of the machine. */
  readonly machine?: Record<string, unknown>;
  /** Packed extensions to install. */
  readonly install?: readonly string[];
}

const quiet = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "telemetry.telemetryLevel": "off",
  "extensions.ignoreRecommendations": true,
  "security.workspace.trust.startupPrompt": "never",
  "security.workspace.trust.banner": "never",
  "git.enabled": false,
  "terminal.integrated.gpuAcceleration": "off", // rows are elements then
};

/** Server is one running code-server. */
export class Server {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly gone: Promise<void>,
  ) {}

  static async start(folders: Folders, options: ServerOptions): Promise<Server> {
    const program = codeServer();
    if (program === undefined) {
      throw new Error("code-server is not installed; run .ci/code-server.sh");
    }
    const home = mkdtempSync(join(folders.root, "profile-"));
    const data = join(home, "data");
    const machine = { "restep.path": join(folders.bin, "restep"), ...options.machine };
    for (const [of, settings] of Object.entries({ User: quiet, Machine: machine })) {
      mkdirSync(join(data, of), { recursive: true });
      writeFileSync(join(data, of, "settings.json"), JSON.stringify(settings));
    }
    const args = ["--user-data-dir", data, "--extensions-dir", join(home, "extensions")];
    const env = {
      ...process.env,
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      XDG_CONFIG_HOME: join(home, "config"),
      XDG_DATA_HOME: join(home, "share"),
    };
    for (const file of options.install ?? []) {
      execFileSync(program, [...args, "--install-extension", file], { env, stdio: ["ignore", "ignore", "inherit"] });
    }
    args.push("--auth", "none", "--disable-telemetry", "--disable-update-check");
    if (options.trust) {
      args.push("--disable-workspace-trust");
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await Server.listen(program, args, env);
      } catch (e) {
        // Its two processes must greet each other within 10 s (wrapper.js), whatever else the computer does.
        if (attempt === 5 || !String(e).includes("timed out")) {
          throw e;
        }
      }
    }
  }

  private static async listen(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Server> {
    const port = await freePort();
    const all = [...args, "--bind-addr", `127.0.0.1:${port}`];
    const child = spawn(program, all, { env, stdio: ["ignore", "pipe", "pipe"] });
    const gone = new Promise<void>((done) => child.once("close", () => done()));
    await listening(child);
    return new Server(port, child, gone);
  }

  /** url returns the address of a folder, with more for the workbench. */
  url(folder: string, payload?: [string, string][]): string {
    const query = new URLSearchParams({ folder });
    if (payload) {
      query.set("payload", JSON.stringify(payload));
    }
    return `http://127.0.0.1:${this.port}/?${query}`;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    await this.gone;
  }
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((done, failed) => {
    let said = "";
    const timer = setTimeout(() => failed(new Error(`code-server does not listen:\n${said}`)), startMs);
    const read = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("HTTP server listening on")) {
        clearTimeout(timer);
        done();
      }
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("close", (code) => failed(new Error(`code-server ended with exit code ${code}:\n${said}`)));
  });
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["RESTEP_CHROMIUM"] || "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** runHost runs a test module in the extension host and returns its exit code. */
export async function runHost(page: Page, server: Server, folder: string, module: string): Promise<number> {
  page.setDefaultTimeout(startMs);
  const exit = new Promise<number>((done) => {
    void page.exposeFunction("codeAutomationExit", (code: number) => done(code));
  });
  await page.exposeFunction("codeAutomationLog", (type: string, args: unknown[]) => {
    const text = args.join(" ");
    if (type === "error" || /^(ok |FAIL) /.test(text)) {
      console.log("  ", text);
    }
  });
  const remote = `vscode-remote://127.0.0.1:${server.port}`;
  await page.goto(
    server.url(folder, [
      ["extensionDevelopmentPath", `${remote}${extension}`],
      ["extensionTestsPath", `${remote}${module}`],
    ]),
    { waitUntil: "commit" },
  );
  return exit;
}

export function remove(folders: Folders): void {
  rmSync(folders.root, { recursive: true, force: true });
}
