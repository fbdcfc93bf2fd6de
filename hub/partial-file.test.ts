import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { temporaryFolder } from "../tests/support/cli.ts";
import type { HubFile } from "./listing.ts";
import { heldIn, PartialFile, removePartial } from "./partial-file.ts";

const file: HubFile = { path: "model.safetensors", size: 100, hash: { algorithm: "sha256", digest: "a".repeat(64) } };

async function place(): Promise<string> {
  return join(await temporaryFolder(), "part");
}

/** Leaves bytes 10 to 30 and 50 to 60. */
async function half(path: string): Promise<void> {
  await using partial = await PartialFile.open(path, file);
  await partial.noteEtag('W/"a tag"');
  for (const [start, end] of [
    [50, 60],
    [10, 20],
    [20, 30],
  ] as const) {
    await partial.write(start, new Uint8Array(end - start).fill(start));
    await partial.note({ start, end });
  }
}

describe("PartialFile", () => {
  test("takes up what was noted, and knows what is missing in pieces", async () => {
    const path = await place();
    await half(path);
    await using partial = await PartialFile.open(path, file);
    expect(partial.held).toBe(30);
    expect(partial.etag).toBe('W/"a tag"');
    expect(partial.missing(25)).toEqual([
      { start: 0, end: 10 },
      { start: 30, end: 50 },
      { start: 60, end: 85 },
      { start: 85, end: 100 },
    ]);
    expect((await readFile(path)).subarray(10, 30)).toEqual(
      Buffer.from([...Array(10).fill(10), ...Array(10).fill(20)]),
    );
  });

  test.each([
    ["a line that was cut off", "held 60 1"],
    ["a line that was cut off inside a word", "he"],
    ["ranges that are none", "held 90 80\nheld 0 1000\nheld 1\n"],
    ["whatever it is", "\0\0\0\0\n\n{}\n"],
  ])("believes nothing of %s", async (_, text) => {
    const path = await place();
    await half(path);
    await appendFile(`${path}.journal`, text);
    await using partial = await PartialFile.open(path, file);
    expect(partial.held).toBe(30);
    // And what is noted after it counts again.
    await partial.write(60, new Uint8Array(5));
    await partial.note({ start: 60, end: 65 });
    expect(await heldIn(path, file)).toBe(35);
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ["of a file that was cut", (path) => truncate(path, 59)],
    ["without its file", removePartial],
    ["that is empty", (path) => writeFile(`${path}.journal`, "")],
    ["whose first line was cut off", (path) => writeFile(`${path}.journal`, '{"size":100')],
  ])("begins anew with a journal %s", async (_, damage) => {
    const path = await place();
    await half(path);
    await damage(path);
    await using partial = await PartialFile.open(path, file);
    expect(partial.held).toBe(0);
    expect(partial.missing(1000)).toEqual([{ start: 0, end: 100 }]);
  });

  test.each<[string, HubFile]>([
    ["of another content", { ...file, hash: { ...file.hash, digest: "b".repeat(64) } }],
    ["of another size", { ...file, size: 101 }],
  ])("begins anew with a file %s", async (_, other) => {
    const path = await place();
    await half(path);
    await using partial = await PartialFile.open(path, other);
    expect(partial.held).toBe(0);
    expect((await readFile(path)).length).toBe(0);
  });

  test("forgets what it is told to", async () => {
    const path = await place();
    await half(path);
    await using partial = await PartialFile.open(path, file);
    await partial.discard();
    expect([partial.held, partial.etag, await heldIn(path, file)]).toEqual([0, undefined, 0]);
    await partial.write(0, new Uint8Array(1));
    await partial.note({ start: 0, end: 1 });
    expect(await heldIn(path, file)).toBe(1);
  });
});
