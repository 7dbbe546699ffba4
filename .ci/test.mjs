// Runs every check of this repository, as `npm test` and CI do. It needs Go
// and Node only, and fetches the packages of the extension when they are not
// there. Arguments are Go package patterns in place of ./..., as in
// `npm test -- ./sim/steplog`; the extension is left out then. RESTEP_NIGHTLY=1
// gives the heavy suites, which look at that variable themselves, the time they
// need.
//
// The extension's tests in real VS Code run when Chromium and code-server are
// there. RESTEP_VSCODE=1, or CI=true, has .ci/code-server.sh install them;
// RESTEP_VSCODE=0 leaves these tests out.
//
// The last line, "N passed, N failed", counts go test's packages and the
// extension's suites; another check counts only when it fails. Exit code: 0 all
// passed, 1 not.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const patterns = process.argv.length > 2 ? process.argv.slice(2) : ["./..."];
const nightly = process.env.RESTEP_NIGHTLY === "1";
const fresh = nightly || process.env.CI === "true"; // results of before do not count there

const counts = { passed: 0, failed: 0 };
const telling = []; // lines of go test that say what failed, told again at the end

// run prints a command, then what it prints, and returns its exit code, -1
// when it did not start. onLine sees each line of standard output.
async function run(command, args, onLine = () => {}) {
  console.log(`$ ${[command, ...args].join(" ")}`);
  const started = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const code = new Promise((resolve) => {
    child.on("error", (err) => {
      console.error(`npm test: run ${command}: ${err.message}; is it installed and in PATH?`);
      resolve(-1);
    });
    child.on("close", (status) => resolve(status ?? -1));
  });
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
    console.log(line);
    onLine(line);
  }
  const status = await code;
  console.log(`  exit code ${status} after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return status;
}

function fail(text) {
  counts.failed++;
  console.error(`npm test: ${text}`);
}

async function gofmt() {
  const unformatted = [];
  const status = await run("gofmt", ["-l", "."], (line) => unformatted.push(line));
  if (status !== 0) fail("gofmt failed");
  else if (unformatted.length > 0) fail(`${unformatted.length} files are not formatted; run: gofmt -w ${unformatted.join(" ")}`);
}

async function vet() {
  if ((await run("go", ["vet", ...patterns])) !== 0) fail("go vet found something");
}

async function test() {
  const args = ["test", "-vet=off", "-p=2", `-timeout=${nightly ? "120m" : "20m"}`];
  if (fresh) args.push("-count=1");
  const before = counts.failed;
  const status = await run("go", [...args, ...patterns], (line) => {
    if (/^ok\s+\S/.test(line)) counts.passed++;
    else if (/^FAIL\s+\S/.test(line)) counts.failed++;
    if (/^FAIL\s+\S|^\s*--- FAIL|^panic: |^fatal error: |^\s+Test\w+.* \(\d+m?[\d.]*s\)$/.test(line)) telling.push(line);
  });
  if (status !== 0 && counts.failed === before) fail("go test failed");
  if (counts.passed + counts.failed === 0) fail("no package has tests");
}

// npm runs a script of the extension as a suite of its own.
async function suite(script, onLine) {
  if ((await run("npm", ["run", "--silent", script, "--workspace", "extension"], onLine)) === 0) counts.passed++;
  else fail(`the extension's ${script} failed`);
}

// codeServer is true when the tests in real VS Code can run.
async function codeServer() {
  const wanted = process.env.RESTEP_VSCODE || (process.env.CI === "true" ? "1" : "");
  if (wanted === "0") return false;
  const status = await run(join(root, ".ci", "code-server.sh"), wanted === "1" ? [] : ["--check"]);
  if (status === 0) return true;
  if (wanted === "1") fail("code-server could not be installed");
  else console.log("npm test: the tests in real VS Code are left out; RESTEP_VSCODE=1 npm test installs what they need");
  return false;
}

async function extension() {
  if (!existsSync(join(root, "node_modules", "esbuild")) && (await run("npm", ["ci"])) !== 0) {
    fail("npm ci failed");
    return;
  }
  if ((await run("npm", ["run", "--silent", "check", "--workspace", "extension"])) !== 0) fail("the extension's check failed");
  await suite("test");
  await suite("test:adapter");
  if (await codeServer()) await suite("test:vscode");
}

await gofmt();
await vet();
await test();
if (process.argv.length === 2) await extension();
if (telling.length > 0) console.log(["what failed:", ...telling.slice(0, 60)].join("\n"));
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
