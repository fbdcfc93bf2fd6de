import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { temporaryFolder } from "../tests/support/cli.ts";
import { readSafetensors, SafetensorsWriter } from "./safetensors.ts";

const types = { a: { dtype: "f32", shape: [2, 2] }, b: { dtype: "u8", shape: [3] } } as const;

describe("SafetensorsWriter", () => {
  test("writes in pieces what readSafetensors reads, with data at a multiple of eight bytes", async () => {
    const path = join(await temporaryFolder(), "out.safetensors");
    {
      await using file = await SafetensorsWriter.open(path, types);
      await file.write(Float32Array.of(1, 2));
      await file.write(Float32Array.of(3, 4));
      await file.write(Uint8Array.of(5, 6, 7));
      await file.finish();
    }
    const tensors = await readSafetensors(path);
    expect([...tensors.keys()]).toEqual(["a", "b"]);
    expect(tensors.get("a")).toMatchObject({ dtype: "f32", shape: [2, 2] });
    expect([...new Float32Array(Uint8Array.from(tensors.get("a")!.data).buffer)]).toEqual([1, 2, 3, 4]);
    expect([...tensors.get("b")!.data]).toEqual([5, 6, 7]);
    expect((await readFile(path)).readBigUInt64LE(0) % 8n).toBe(0n);
  });

  test("leaves nothing under the name, and nothing else, when it is not finished", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "out"), "what was there before");
    {
      await using file = await SafetensorsWriter.open(join(folder, "out"), types);
      await file.write(Float32Array.of(1, 2, 3, 4));
    }
    expect(await readdir(folder)).toEqual(["out"]);
    expect(await readFile(join(folder, "out"), "utf8")).toBe("what was there before");
  });

  test("refuses a place that is not there", async () => {
    const path = join(await temporaryFolder(), "missing/out");
    await expect(SafetensorsWriter.open(path, types)).rejects.toMatchObject({ code: "OUTPUT", exitCode: 2 });
  });

  test("fails, naming the file, when the system takes no more", async () => {
    await expect(SafetensorsWriter.open("/dev/full", types)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^\/dev\/full could not be written: ENOSPC/),
    });
  });

  test("refuses elements that the format has no name for", async () => {
    const open = SafetensorsWriter.open(join(await temporaryFolder(), "out"), { x: { dtype: "i4", shape: [2] } });
    await expect(open).rejects.toThrow("safetensors has no name for elements of i4 (x)");
  });
});

describe("readSafetensors", () => {
  const file = (header: unknown, data = 0) => {
    const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([length, text, Buffer.alloc(data)]);
  };
  const tensor = (keys: object) => file({ x: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...keys } }, 8);

  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", Buffer.alloc(0), /it has 0 bytes, and a header needs 8/],
    [
      "a header that claims 10^18 bytes",
      Buffer.from(BigUint64Array.of(10n ** 18n, 0n).buffer),
      /claims 1000000000000000000 bytes of 8/,
    ],
    ["a header that is no JSON", file("{"), /its header is not JSON/],
    ["a header that is a list", file([]), /is not a safetensors file/],
    ["an unknown element type", tensor({ dtype: "F12" }), /x has elements of F12, which are not known/],
    ["a shape that its bytes don't hold", tensor({ shape: [3] }), /x has bytes 0 to 8 of 8, and its shape wants 12/],
    ["bytes beyond the file", tensor({ data_offsets: [8, 16] }), /x has bytes 8 to 16 of 8/],
    ["a negative size", tensor({ shape: [-2] }), /x/],
  ])("refuses %s", async (_, bytes, said) => {
    const path = join(await temporaryFolder(), "broken");
    await writeFile(path, bytes);
    await expect(readSafetensors(path)).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(said) });
    await expect(readSafetensors(path)).rejects.toThrow(path);
  });

  test("refuses a folder", async () => {
    const path = join(await temporaryFolder(), "folder");
    await mkdir(path);
    await expect(readSafetensors(path)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(path) });
  });
});
