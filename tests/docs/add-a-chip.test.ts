/**
 * docs/add-a-chip.md, walked in a copy of the repository: a TPU and a GPU that it adds are taken everywhere.
 *
 * Example run: npm run jest -- tests/docs/add-a-chip
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { copyRepository } from "../support/repository-copy.ts";
import { walkPage } from "./walk.ts";

test(exhaustive(
  "a chip that is one file and a name in the list compiles, has plans and manifests, and passes every chip's tests",
), async () => {
  const page = await readFile(join(root, "docs/add-a-chip.md"), "utf8");
  // Two files that are new, and one that names them: nothing else of the repository changes.
  const changed = [...page.matchAll(/^```(?:ts|diff) (\S+)$/gm)].map(([, path]) => path);
  expect([...new Set(changed)]).toEqual(["chips/tpu7x.ts", "chips/index.ts", "chips/h200.ts"]);
  const folder = join(root, ".cache/docs/add-a-chip");
  await copyRepository(folder);
  const commands = { "npx tsxla": "node bin/tsxla.mjs", "npx tsc": "node node_modules/typescript/bin/tsc" };
  await walkPage(page, { folder, commands, env: process.env });
}, 180_000);
