// A stand-in for the Go extension: it contributes what golang.go does at the
// places where it and restep meet. It is an extension of its own, which
// beside.ts packs; gopls is the real one.

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const said = (text: string) => () => void vscode.window.showInformationMessage(`the Go extension: ${text}`);
  const controller = vscode.tests.createTestController("go", "Go");
  controller.createRunProfile("Go", vscode.TestRunProfileKind.Run, said("run"), true);
  const tests = (document: vscode.TextDocument) => {
    const at = document.positionAt(document.getText().indexOf("func TestMachines"));
    return new vscode.Range(at, at.translate(0, 17));
  };
  const found = (document: vscode.TextDocument) => {
    if (document.languageId === "go") {
      const item = controller.createTestItem("TestMachines", "TestMachines", document.uri);
      item.range = tests(document);
      controller.items.replace([item]);
    }
  };
  vscode.workspace.textDocuments.forEach(found);
  context.subscriptions.push(
    controller,
    vscode.workspace.onDidOpenTextDocument(found),
    vscode.debug.registerDebugConfigurationProvider("go", {
      resolveDebugConfiguration: () => {
        said("F5")();
        return undefined;
      },
    }),
    vscode.commands.registerCommand("go.test.cursor", said("test")),
    vscode.commands.registerCommand("go.debug.cursor", said("debug")),
    vscode.languages.registerCodeLensProvider("go", {
      provideCodeLenses: (document) => [
        new vscode.CodeLens(tests(document), { title: "run test", command: "go.test.cursor" }),
        new vscode.CodeLens(tests(document), { title: "debug test", command: "go.debug.cursor" }),
      ],
    }),
  );
  const command: string = context.extension.packageJSON.gopls;
  client = new LanguageClient(
    "go",
    "gopls",
    { command, args: ["serve"] },
    {
      documentSelector: [{ language: "go", scheme: "file" }],
      initializationOptions: { hints: { parameterNames: true, assignVariableTypes: true } },
    },
  );
  await client.start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
