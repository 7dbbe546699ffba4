// Runs the tests in real VS Code: node out/e2e/main.js. They need what
// .ci/code-server.sh installs, and a packed restep.vsix. An argument is part of
// the names of the tests to run. Screenshots go to RESTEP_ARTEFACTS, else to
// artefacts.

import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { besideGo, packGo } from "./beside.js";
import { clickStory } from "./click.js";
import { closedWindow, killedHost } from "./end.js";
import { besideGopls } from "./gopls.js";
import { extension, type Folders, launchBrowser, prepare, remove, runHost, Server } from "./harness.js";
import { hostileFolder, hostileStory } from "./hostile.js";
import { alive, below, ended, of } from "./processes.js";
import { User } from "./user.js";

const overallMs = 30 * 60_000;

type Test = (folders: Folders, browser: Browser) => Promise<void>;

const tests: Record<string, Test> = {
  "a click on a step": (folders, browser) => story(folders, browser, { name: "click", tell: clickStory }),
  "beside the Go extension and gopls": (folders, browser) =>
    story(folders, browser, { name: "beside", tell: besideGo, install: [packGo(folders)] }),
  "two language servers": (folders) => besideGopls(folders),
  "hostile log lines": (folders, browser) => {
    const folder = hostileFolder(folders);
    return story(folders, browser, { name: "hostile", tell: hostileStory, folder });
  },
  "a closed window leaves nothing": (folders, browser) =>
    story(folders, browser, { name: "closed", tell: closedWindow }),
  "a killed extension host leaves nothing": (folders, browser) =>
    story(folders, browser, { name: "killed", tell: killedHost }),
  "in the host, trusted": (folders, browser) => host(folders, browser, true),
  "in the host, not trusted": (folders, browser) => host(folders, browser, false),
};

interface Story {
  readonly name: string;
  readonly tell: (user: User, server: Server) => Promise<void>;
  /** More extensions than ours. */
  readonly install?: readonly string[];
  /** What the window shows. */
  readonly folder?: string;
}

/** story lets a user do something in a window with a fresh profile. */
async function story(folders: Folders, browser: Browser, what: Story): Promise<void> {
  const install = [join(extension, "restep.vsix"), ...(what.install ?? [])];
  const server = await Server.start(folders, { trust: true, install });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const user = new User(page, folders, what.name);
  try {
    await page.goto(server.url(what.folder ?? folders.workspace), { waitUntil: "commit" });
    await what.tell(user, server);
  } catch (e) {
    await user.shot("failed").catch(() => {});
    throw e;
  } finally {
    const started = below(server.pid);
    await page.close();
    await server.stop();
    await ended("after code-server ended", () => started.filter(alive));
  }
}

async function host(folders: Folders, browser: Browser, trust: boolean): Promise<void> {
  const folder = trust ? folders.workspace : strange(folders);
  const server = await Server.start(folders, { trust });
  const page = await browser.newPage();
  try {
    const code = await runHost(page, server, folder, join(extension, "out", "host", "index.js"));
    if (code !== 0) {
      throw new Error(`the tests in the extension host ended with ${code}`);
    }
  } finally {
    const started = below(server.pid);
    await page.close();
    await server.stop();
    await ended("after code-server ended", () => started.filter(alive));
  }
}

/** strange makes a folder whose settings would start a program of its own. */
function strange(folders: Folders): string {
  const folder = join(folders.root, "strange");
  cpSync(folders.workspace, folder, { recursive: true });
  rmSync(join(folder, ".restep"), { recursive: true, force: true });
  const program = join(folder, "evil.sh");
  writeFileSync(program, `#!/bin/sh\ntouch ${join(folder, "evil-ran")}\n`, { mode: 0o755 });
  const settings = { "restep.path": program, "restep.buildFlags": ["-toolexec=evil"], "restep.env": { EVIL: "1" } };
  writeFileSync(join(folder, ".vscode", "settings.json"), JSON.stringify(settings));
  return folder;
}

async function main(): Promise<number> {
  const only = process.argv[2];
  setTimeout(() => {
    console.error("vscode tests: out of time");
    process.exit(1);
  }, overallMs).unref();
  const folders = await prepare();
  const browser = await launchBrowser();
  let failed = 0;
  for (const [name, run] of Object.entries(tests)) {
    if (only !== undefined && !name.includes(only)) {
      continue;
    }
    const started = Date.now();
    try {
      await run(folders, browser);
      await ended("at the end", () => of(folders.root));
      console.log(`ok   ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    } catch (e) {
      failed++;
      console.log(`FAIL ${name}: ${e instanceof Error ? e.stack : String(e)}`);
    }
  }
  await browser.close();
  console.log(`screenshots: ${folders.artefacts}`);
  if (process.env["RESTEP_KEEP"] === "1") {
    console.log(`kept ${folders.root}`);
  } else {
    remove(folders);
  }
  return failed;
}

main().then(
  (failed) => {
    process.exitCode = failed === 0 ? 0 : 1;
  },
  (e) => {
    console.error(e);
    process.exitCode = 1;
  },
);
