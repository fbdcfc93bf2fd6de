/**
 * Steps on meshes: their text is the file in this folder, and what MLIR prints.
 *
 * After an intended change: `npm run golden:update`, and read the difference.
 */
import { describe, expect, test } from "@jest/globals";
import { lowerIt } from "../../testing/lowerable.ts";
import "../../testing/index.ts";
import { checkTexts } from "../support/check-program.ts";
import goldens from "./meshes.golden.ts";

describe.each(Object.entries(goldens))("%s on a mesh", (name, { lower, target, roles }) => {
  const lowered = lowerIt(lower, name, { target, roles });

  test("lowers to the text in its file, which is what MLIR prints", async () => {
    await checkTexts(lowered.text, lowered.plainText);
    expect(lower).toLowerTo(`${name}.mlir`, { target, roles });
  });

  test("splits arguments and results alike, so that state goes in as it came out", () => {
    const shardings = (text: string) => text.match(/sdy\.sharding = #sdy\.sharding<@mesh, \[.*?\]>(?=[},])/g) ?? [];
    const [head = "", tail = ""] = lowered.plainText.split(" -> (", 2);
    const main = tail.slice(0, tail.indexOf(") {\n"));
    const state = lowered.signature.results.flatMap(({ name: path }, n) =>
      path.startsWith("caches.") ? [[path, n] as const] : [],
    );
    expect(state).not.toHaveLength(0);
    for (const [path, n] of state) {
      const argument = lowered.signature.arguments.findIndex(({ name: given }) => given === path);
      expect([path, shardings(main)[n]]).toEqual([path, shardings(head)[argument]]);
    }
  });
});
