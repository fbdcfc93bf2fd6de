/** What a file of prompts means, line by line. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { temporaryFolder } from "../../tests/support/cli.ts";
import { parsePrompts, readPrompts } from "./prompts-file.ts";

const parse = (text: string) => parsePrompts(new TextEncoder().encode(text), "p.txt");

test("a prompt a line, counted as editors count; empty lines hold none", () => {
  expect(parse("\uFEFFone\r\n\n  two \n\t\nthree\u2028still\uFEFF")).toEqual([
    { line: 1, text: "one" },
    { line: 3, text: "  two " },
    { line: 5, text: "three\u2028still\uFEFF" },
  ]);
  expect(parse("only\n")).toEqual([{ line: 1, text: "only" }]);
});

test("what cannot be read is refused by file and line", async () => {
  expect(() => parsePrompts(Uint8Array.of(0x61, 0x0a, 0xff, 0x0a), "p.txt")).toThrow(
    "--prompts p.txt: line 2 is not UTF-8",
  );
  await expect(readPrompts("missing.txt")).rejects.toThrow(/--prompts missing.txt cannot be read: ENOENT/);
  const empty = join(await temporaryFolder(), "empty.txt");
  await writeFile(empty, "\n\n");
  await expect(readPrompts(empty)).rejects.toThrow(/holds no prompt; it has one a line/);
});
