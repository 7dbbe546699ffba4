// Finds tests in Go source, for commands that are called without a lens.

const testFunc = /^func (Test(?:[^\p{Ll}\s(][\p{L}\p{N}_]*)?)\(\s*\w+\s+\*testing\.T\s*\)/u;

/** testAt returns the test whose function holds a line, counted from 0. */
export function testAt(text: string, line: number): string | undefined {
  const lines = text.split(/\r?\n/);
  for (let i = Math.min(line, lines.length - 1); i >= 0; i--) {
    const found = testFunc.exec(lines[i] ?? "");
    if (found) {
      return found[1];
    }
    if (i < line && /^}/.test(lines[i] ?? "")) {
      return undefined; // between two functions
    }
  }
  return undefined;
}

/** allTests returns the tests of a file in their order. */
export function allTests(text: string): string[] {
  return text.split(/\r?\n/).flatMap((l) => testFunc.exec(l)?.[1] ?? []);
}
