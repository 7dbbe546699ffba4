// Runs the tests in real VS Code: node out/e2e/main.js. They need what
// .ci/code-server.sh installs, and a packed restep.vsix. Screenshots go to
// RESTEP_ARTEFACTS, when that is set.

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { besideGo, packGo } from "./beside.js";
import { clickStory, User } from "./click.js";
import { extension, type Folders, launchBrowser, prepare, remove, runHost, Server } from "./harness.js";

const overallMs = 8 * 60_000;

type Test = (folders: Folders, browser: Browser) => Promise<void>;

const tests: Record<string, Test> = {
  "a click on a step": async (folders, browser) => {
    const server = await Server.start(folders, { trust: true, install: [join(extension, "restep.vsix")] });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const user = new User(page, folders);
    try {
      await page.goto(server.url(folders.workspace));
      await clickStory(user);
    } catch (e) {
      await user.shot("failed").catch(() => {});
      throw e;
    } finally {
      await page.close();
      await server.stop();
    }
  },
  "beside the Go extension": async (folders, browser) => {
    const go = packGo(folders);
    const server = await Server.start(folders, { trust: true, install: [join(extension, "restep.vsix"), go] });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const user = new User(page, folders);
    try {
      await page.goto(server.url(folders.workspace));
      await besideGo(user);
    } catch (e) {
      await user.shot("beside-failed").catch(() => {});
      throw e;
    } finally {
      await page.close();
      await server.stop();
    }
  },
  "in the host, trusted": (folders, browser) => host(folders, browser, true),
  "in the host, not trusted": (folders, browser) => host(folders, browser, false),
};

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
    await page.close();
    await server.stop();
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

/** left returns the processes that run a program of ours. */
function left(folders: Folders): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const env = readFileSync(`/proc/${pid}/environ`, "utf8");
      return /^\d+$/.test(pid) && (line.includes(folders.root) || env.includes(folders.root)) ? [`${pid} ${line}`] : [];
    } catch {
      return [];
    }
  });
}

async function gone(folders: Folders): Promise<void> {
  const end = Date.now() + 10_000;
  while (left(folders).length > 0) {
    if (Date.now() > end) {
      throw new Error(`still running:\n${left(folders).join("\n")}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
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
      await gone(folders);
      console.log(`ok   ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    } catch (e) {
      failed++;
      console.log(`FAIL ${name}: ${e instanceof Error ? e.stack : String(e)}`);
    }
  }
  await browser.close();
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
