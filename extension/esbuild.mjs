// Bundles the extension: node esbuild.mjs [--tests]. With --tests also the
// tests, one file each, into out/.

import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const common = { bundle: true, platform: "node", target: "node20", sourcemap: "linked", logLevel: "warning" };

rmSync("dist", { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  format: "cjs",
  external: ["vscode"],
  mainFields: ["module", "main"],
  minify: true,
  sourcemap: false,
});

if (process.argv.includes("--tests")) {
  rmSync("out", { recursive: true, force: true });
  const tests = readdirSync("src/core").filter((f) => f.endsWith(".test.ts"));
  await build({ ...common, entryPoints: tests.map((f) => `src/core/${f}`), outdir: "out/core", format: "cjs" });
  await build({
    ...common,
    entryPoints: ["test/index.ts"],
    outfile: "out/host/index.js",
    format: "cjs",
    external: ["vscode"],
  });
  await build({
    ...common,
    entryPoints: ["e2e/main.ts"],
    outdir: "out/e2e",
    format: "cjs",
    external: ["playwright-core"],
  });
  await build({
    ...common,
    entryPoints: ["e2e/go-extension.ts"],
    outdir: "out/e2e",
    format: "cjs",
    external: ["vscode"],
    mainFields: ["module", "main"],
    sourcemap: false,
  });
}
