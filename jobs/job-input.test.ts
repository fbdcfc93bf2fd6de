/** Files of requests, well formed and not. */
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { temporaryFolder } from "../tests/support/cli.ts";
import { type InputLine, JobInput, longestLine } from "./job-input.ts";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

async function read(content: string | Buffer): Promise<readonly InputLine[]> {
  const path = join(folder, "input.jsonl");
  await writeFile(path, content);
  await using input = await JobInput.open(path);
  const lines: InputLine[] = [];
  for await (const line of input.lines()) lines.push(line);
  return lines;
}

const told = (lines: readonly InputLine[]) =>
  lines.map(({ number, customId, refusal }) => [number, customId, refusal?.code ?? "taken"]);

describe("the lines of an input", () => {
  test("are the same with carriage returns, a byte order mark, empty lines and without a last newline", async () => {
    const [a, b] = ['{"custom_id":"a"}', '{"custom_id":"b"}'];
    const plain = await read(`${a}\n${b}\n`);
    const odd = await read(`\uFEFF${a}\r\n\r\n  \n${b}`);
    expect(told(plain)).toEqual([
      [1, "a", "taken"],
      [2, "b", "taken"],
    ]);
    expect(told(odd)).toEqual([
      [1, "a", "taken"],
      [4, "b", "taken"],
    ]);
    expect(odd.map(({ key, text }) => [key, text])).toEqual(plain.map(({ key, text }) => [key, text]));
    expect(await read("")).toEqual([]);
    expect(await read("\uFEFF\r\n")).toEqual([]);
  });

  test("have an id each, the broken ones too, and a key that no other line has", async () => {
    const lines = await read(
      Buffer.concat([
        Buffer.from('{"custom_id":"a","n":1}\nnot json\n{"custom_id":7}\n[1]\nnull\n{"custom_id":""}\n{}\n'),
        Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]),
        Buffer.from('{"custom_id":"a","n":2}\n{"custom_id":"b"}\nnot json\n{"custom_id":"b"}\n'),
      ]),
    );
    expect(told(lines)).toEqual([
      [1, "a", "taken"],
      [2, "line-2", "invalid_json_line"],
      [3, "line-3", "invalid_custom_id"],
      [4, "line-4", "invalid_custom_id"],
      [5, "line-5", "invalid_custom_id"],
      [6, "line-6", "invalid_custom_id"],
      [7, "line-7", "invalid_custom_id"],
      [8, "line-8", "invalid_utf8"],
      [9, "a", "duplicate_custom_id"],
      [10, "b", "taken"],
      [11, "line-11", "invalid_json_line"],
      [12, "b", "duplicate_custom_id"],
    ]);
    expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
    expect(lines[8]?.refusal?.message).toBe(
      'line 9: an earlier line has the custom_id "a" already; the first is answered',
    );
    expect(lines[2]?.refusal).toMatchObject({
      message: "line 3: custom_id is a text that names the request; found 7",
      fields: { line: 3, param: "custom_id" },
      exitCode: 2,
    });
  });

  test("that are too long are passed over, told by their number, and not held", async () => {
    const path = join(folder, "long.jsonl");
    await writeFile(path, '{"custom_id":"before"}\n{"custom_id":"');
    const part = Buffer.alloc(1024 * 1024, "x");
    for (let n = 0; n < 50; n++) await appendFile(path, part);
    await appendFile(path, '"}\n{"custom_id":"after"}');
    await using input = await JobInput.open(path);
    const lines: InputLine[] = [];
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for await (const line of input.lines()) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      lines.push(line);
    }
    expect(told(lines)).toEqual([
      [1, "before", "taken"],
      [2, "line-2", "line_too_long"],
      [3, "after", "taken"],
    ]);
    expect(lines[1]?.text).toBeUndefined();
    expect(lines[1]?.refusal?.message).toBe(
      `line 2: the line has ${50 * 1024 * 1024 + 16} bytes, and at most ${longestLine} are read`,
    );
    // Twice the limit, for parts may wait to be collected.
    expect(most).toBeLessThan(2 * longestLine);
  });

  test("are looked at anew each time, and a file that changes meanwhile is an error", async () => {
    const path = join(folder, "changing.jsonl");
    await writeFile(path, '{"custom_id":"a"}\n{"custom_id":"b"}\n');
    await using input = await JobInput.open(path);
    const first: InputLine[] = [];
    for await (const line of input.lines()) first.push(line);
    const walk = async () => {
      for await (const { number } of input.lines()) if (number === 1) await appendFile(path, '{"custom_id":"c"}\n');
    };
    await expect(walk()).rejects.toThrow(
      `the input ${path} was changed while the job ran; leave it as it is until the job is done, and run it again`,
    );
    expect(first).toHaveLength(2);
  });
});

test("what is no file is refused", async () => {
  await expect(JobInput.open(join(folder, "missing"))).rejects.toMatchObject({ code: "JOB_INPUT", exitCode: 2 });
  await mkdir(join(folder, "folder"));
  await expect(JobInput.open(join(folder, "folder"))).rejects.toThrow(
    `the input ${join(folder, "folder")} is no file; a job reads it twice, so a pipe will not do`,
  );
});
