// restep and the Go extension in one window. The Go extension is a stand-in
// that contributes what golang.go does at the places where the two meet: the
// debugger for Go files, lenses on tests.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openTest, type User } from "./click.js";
import { extension, type Folders } from "./harness.js";

const manifest = {
  name: "go",
  publisher: "golang",
  version: "0.0.1",
  engines: { vscode: "^1.100.0" },
  main: "./main.js",
  activationEvents: ["onLanguage:go", "onDebugInitialConfigurations"],
  contributes: {
    breakpoints: [{ language: "go" }],
    debuggers: [
      { type: "go", label: "Go", languages: ["go"], configurationAttributes: { launch: { properties: {} } } },
    ],
    commands: [{ command: "go.test.cursor", title: "Test Function At Cursor", category: "Go" }],
  },
};

const source = `
const vscode = require("vscode");
exports.activate = () => {
  vscode.debug.registerDebugConfigurationProvider("go", {
    resolveDebugConfiguration: () => {
      vscode.window.showInformationMessage("F5 came to the Go extension");
      return undefined;
    },
  });
  vscode.commands.registerCommand("go.test.cursor", () => {});
  vscode.languages.registerCodeLensProvider("go", {
    provideCodeLenses: (document) => {
      const at = document.positionAt(document.getText().indexOf("func TestMachines"));
      return [new vscode.CodeLens(new vscode.Range(at, at), { title: "run test", command: "go.test.cursor" })];
    },
  });
};
`;

/** packGo makes the stand-in and returns its file. */
export function packGo(folders: Folders): string {
  const [dir, file] = [join(folders.root, "go-extension"), join(folders.root, "go.vsix")];
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(dir, "main.js"), source);
  const vsce = join(extension, "..", "node_modules", ".bin", "vsce");
  const args = ["package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "--out", file];
  execFileSync(vsce, args, { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
  return file;
}

export async function besideGo(user: User): Promise<void> {
  const { page } = user;
  await openTest(user);
  await page.locator(".codelens-decoration a", { hasText: /^run test$/ }).waitFor();
  await user.shot("beside-lenses");
  await page.keyboard.press("F5");
  await page.locator(".notification-list-item", { hasText: "F5 came to the Go extension" }).waitFor();
  await user.shot("beside-f5");
}
