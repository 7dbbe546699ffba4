// What is left of restep when its window, or the process that the extension
// lives in, is gone: nothing.

import assert from "node:assert/strict";
import { openTest } from "./click.js";
import type { Server } from "./harness.js";
import { alive, begun, below, ended, type Process } from "./processes.js";
import { buildMs, User } from "./user.js";

/** debugging opens a session and returns all processes of restep in the window. */
async function debugging(user: User, server: Server): Promise<Process[]> {
  await openTest(user);
  await user.lens(/^debug$/).click();
  await user.see(User.statusBar, /^\s*#\d+ · \d/, buildMs);
  const all = below(server.pid);
  const roots = all.filter((p) => /\/restep (dap|lsp)$/.test(p.line));
  assert.deepEqual(roots.map((p) => p.line.split(" ").at(-1)).sort(), ["dap", "lsp"]);
  const started = roots.flatMap((p) => [p, ...below(p.pid, all)]);
  assert.ok(started.length >= 4, "the adapter has a zygote and a run");
  return started;
}

/** closedWindow leaves the page, as closing the window of a browser does. */
export async function closedWindow(user: User, server: Server): Promise<void> {
  const started = await debugging(user, server);
  await user.page.goto("about:blank");
  await ended("after the window was closed", () => started.filter(alive));
}

/** killedHost kills the process in which the extension runs. */
export async function killedHost(user: User, server: Server): Promise<void> {
  const started = await debugging(user, server);
  const [host] = below(server.pid).filter((p) => p.line.includes("--type=extensionHost"));
  assert.ok(host);
  process.kill(host.pid, "SIGKILL");
  await ended("after the extension host was killed", () => started.filter(alive));
  // VS Code starts another one, and leaves it running when it is told to end meanwhile.
  await begun("restep in another extension host", () =>
    below(server.pid).filter((p) => p.line.endsWith("/restep lsp")),
  );
}
