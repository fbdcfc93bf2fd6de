/**
 * The pages of docs/ tell the truth: their files compile, their commands say what they say.
 *
 * Example run: npm run jest -- tests/docs -t "run-jobs"
 *
 * docs/golden.md is walked in an installed project (tests/packed/packed.test.ts), an-architecture-from-scratch.md beside
 * this file, pages that change the repository in a copy of it (./extend.test.ts).
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { readPage, walkInCheckout } from "./page-folder.ts";
import { commandsOf, walkPage } from "./walk.ts";
import "../support/needs-python.ts";

test.each(["define-a-model", "run-jobs", "executables"])(
  exhaustive("docs/%s.md, walked command by command, says what happens"),
  async (name) => {
    const page = await readPage(name);
    expect(commandsOf(page).length).toBeGreaterThan(2);
    await walkInCheckout(name, page);
  },
  180_000,
);

test("a page that says something else is found out, at the command that says it", async () => {
  const folder = join(root, ".cache/docs/wrong");
  await mkdir(folder, { recursive: true });
  const walk = (page: string) => walkPage(page.replaceAll("'''", "```"), { folder, env: process.env });
  await walk("'''js a.mjs\nconsole.log('one');\nconsole.log('two');\n'''\n'''console\n$ node a.mjs\none\n…\n'''\n");
  await expect(walk("'''console\n$ node a.mjs\none\nthree\n'''\n")).rejects.toThrow(
    "$ node a.mjs\nsaid\none\ntwo\n\nand the page says\none\nthree\n",
  );
  await expect(walk("'''console\n$ node a.mjs\none\n'''\n")).rejects.toThrow("and the page says");
  await expect(walk("'''diff a.mjs\n-console.log('four');\n+console.log('five');\n'''\n")).rejects.toThrow(
    "has no lines as the page says",
  );
  await expect(walk("'''ts\nconst nobody = 1;\n'''\n")).rejects.toThrow("so nobody runs it");
});
