/**
 * A model family, added in a copy of the repository as docs/add-a-model-family.md says.
 *
 * Example run: npm run jest -- tests/extending
 */
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { temporaryFolder } from "../support/cli.ts";
import { addModelFamily } from "./add-model-family.ts";

test("a Llama with norms on queries and keys and two rope bases touches two files, and has numpy's logits", async () => {
  const said = new Map<string, string>();
  const { files } = await addModelFamily(join(await temporaryFolder(), "copy"), (command, text) =>
    said.set(command, text),
  );
  expect(files).toEqual([" M models/families.ts", "?? models/two-bases.ts"]);
  expect(said.get("python .cache/two-bases/reference.py")).toBe("equal\n");
}, 240_000);
