/** A job's output: cut anywhere, of something else, on a full disk, locked. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { temporaryFolder } from "../tests/support/cli.ts";
import { testTable } from "../tests/support/exhaustive.ts";
import { Journal } from "./journal.ts";
import { lockOutput } from "./output-lock.ts";

let folder: string;
let made = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});

const newPath = () => join(folder, `output-${made++}.jsonl`);
const open = (path: string) => Journal.open(path, { isInput: () => false });
const key = (n: number) => n.toString(16).padStart(32, "0");

/** A line as a job writes it. */
function line(n: number, { fingerprint = "fp_1", text = 'é\u2028 "x"' } = {}): string {
  const body = { system_fingerprint: fingerprint, choices: [{ text }] };
  return JSON.stringify({
    id: `batch_req_${key(n)}`,
    custom_id: `request-${n}`,
    response: { status_code: 200, request_id: "req_1", body },
    error: null,
  });
}

/** The line of a request without an answer. */
const failedLine = (n: number): string =>
  JSON.stringify({ id: `batch_req_${key(n)}`, custom_id: `r${n}`, response: null, error: { code: "x", message: "y" } });

async function written(path: string, lines: readonly string[]): Promise<void> {
  await using journal = await open(path);
  for (const each of lines) journal.append(each);
  await journal.flush();
}

describe("an output", () => {
  testTable(
    "that is cut at any byte, in steps of %d, goes on to the same content",
    [[7], [1]],
    ([step]) => step === 7,
    async (step) => {
      const lines = [line(1), failedLine(2), line(3)];
      const whole = Buffer.from(`${lines.join("\n")}\n`);
      const path = newPath();
      for (let at = 0; at <= whole.length; at += step) {
        await writeFile(path, whole.subarray(0, at));
        await using journal = await open(path);
        const { keys, answered, failed, mended } = journal.recorded;
        const isDone = lines.map((_, n) => keys.has(Buffer.from(key(n + 1), "hex")));
        const done = isDone.filter(Boolean).length;
        expect(isDone).toEqual(lines.map((_, n) => n < done));
        expect([answered + failed, keys.size]).toEqual([done, done]);
        expect(mended).toBe(
          at -
            Buffer.from(
              lines
                .slice(0, done)
                .map((each) => `${each}\n`)
                .join(""),
            ).length,
        );
        for (const each of lines.slice(done)) journal.append(each);
        await journal.flush();
        expect((await readFile(path)).equals(whole)).toBe(true);
      }
    },
  );

  test("tells what it holds, and keeps the order in which lines were added", async () => {
    const path = newPath();
    const lines = Array.from({ length: 500 }, (_, n) => (n % 7 === 0 ? failedLine(n + 1) : line(n + 1)));
    await written(path, lines);
    expect(await readFile(path, "utf8")).toBe(`${lines.join("\n")}\n`);
    await using journal = await open(path);
    expect(journal.recorded).toMatchObject({ answered: 428, failed: 72, fingerprint: "fp_1", mended: 0 });
  });

  test.each([
    ["notes", "my notes\n", "line 1 is no line that a job writes"],
    ["notes without a newline", "my notes", "line 1 is no line that a job writes"],
    ["another program's JSON", '{"id":1}\n', "line 1 is no line that a job writes"],
    ["a batch of somebody else's", '{"id":"batch_req_123","custom_id":"a"}\n', "line 1 is no line that a job writes"],
    ["a request twice", `${line(1)}\n${line(1)}\n`, "line 2 answers a request for the second time"],
    [
      "two models",
      `${line(1)}\n${line(2, { fingerprint: "fp_2" })}\n`,
      "line 2 was answered by fp_2, and an earlier one by fp_1",
    ],
    [
      "a broken line in the middle",
      `${line(1)}\n{"id":"batch_req_\n${line(2)}\n`,
      "line 2 is no line that a job writes",
    ],
  ])("that holds %s is left as it is", async (_, content, why) => {
    const path = newPath();
    await writeFile(path, content);
    await expect(open(path)).rejects.toMatchObject({
      code: "JOB_OUTPUT_FOREIGN",
      exitCode: 2,
      message: `the output ${path} is not of this job: ${why}\n  give the job another --output, or move that file away`,
    });
    expect(await readFile(path, "utf8")).toBe(content);
    // Nothing stays locked.
    await written(newPath(), [line(1)]);
  });

  test("that is a folder, a device, the input or nowhere is refused", async () => {
    const refusal = { code: "JOB_OUTPUT", exitCode: 2 };
    await expect(open("/dev/full")).rejects.toMatchObject({
      ...refusal,
      message: "the output /dev/full is a device or a pipe; a job goes on from what its output holds, so wanted a file",
    });
    const inside = join(folder, "inside");
    await mkdir(inside);
    await expect(open(inside)).rejects.toMatchObject({
      ...refusal,
      message: `the output ${inside} is a folder; wanted a file, or a new name`,
    });
    await expect(open(join(folder, "missing/output.jsonl"))).rejects.toMatchObject(refusal);
    const path = newPath();
    await writeFile(path, "");
    await expect(Journal.open(path, { isInput: () => true })).rejects.toMatchObject({
      ...refusal,
      message: `the output ${path} is the job's input; give it another name`,
    });
  });

  test("is one job's at a time, by whatever name, and a killed holder is no holder", async () => {
    const path = newPath();
    const other = newPath();
    await writeFile(path, "");
    await symlink(path, other);
    {
      await using _journal = await open(path);
      const refusal = { code: "JOB_LOCKED", exitCode: 1, fields: { holder: { pid: process.pid } } };
      await expect(open(path)).rejects.toMatchObject(refusal);
      await expect(open(other)).rejects.toMatchObject(refusal);
    }
    const holder = spawn("sleep", ["60"]);
    await once(holder, "spawn");
    await writeFile(`${path}.lock`, await lockOf(holder.pid as number));
    await expect(open(path)).rejects.toMatchObject({ code: "JOB_LOCKED", fields: { holder: { pid: holder.pid } } });
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await written(path, [line(1)]);
    // A process that only has the number of the one that held it.
    await writeFile(`${path}.lock`, (await lockOf(process.pid)).replace(/"started":"\d+"/, '"started":"1"'));
    await written(path, [line(2)]);
    expect((await readFile(path, "utf8")).split("\n")).toHaveLength(3);
  });

  test("is free when a holder on another machine shows no sign of life, and not before", async () => {
    const path = newPath();
    const elsewhere = (await lockOf(process.pid)).replace(/"host":"[^"]*"/, '"host":"another"');
    await writeFile(`${path}.lock`, elsewhere);
    await using _lock = await lockOutput(path, { silentMs: 200 });
    const alive = newPath();
    await writeFile(`${alive}.lock`, elsewhere);
    const signs = setInterval(() => void writeFile(`${alive}.lock`, elsewhere), 20);
    await expect(lockOutput(alive, { silentMs: 500 })).rejects.toThrow(
      /is being written by another job, process \d+ on another; /,
    );
    clearInterval(signs);
  });
});

test("a file that may not grow any more keeps whole lines, and goes on once it may", async () => {
  const path = newPath();
  const script = join(folder, "fill.ts");
  const module = new URL("./journal.ts", import.meta.url).href;
  await writeFile(
    script,
    `const { Journal } = await import(${JSON.stringify(module)});
    const journal = await Journal.open(${JSON.stringify(path)}, { isInput: () => false });
    for (let n = 1; n <= 400; n++) {
      journal.append(JSON.stringify({ id: "batch_req_" + n.toString(16).padStart(32, "0"), custom_id: "r", error: {} }));
      if (n % 9 === 0) await journal.flush().catch((error) => { console.log(error.code, error.message, journal.recorded.answered); process.exit(1); });
    }`,
  );
  const loader = new URL("../bin/typescript-loader.mjs", import.meta.url).href;
  // Units of 1024 bytes: 400 lines do not fit into 16 of them.
  const limited = spawn("bash", ["-c", `ulimit -f 16; exec "${process.execPath}" --import "${loader}" "${script}"`]);
  let said = "";
  limited.stdout.on("data", (text) => {
    said += text;
  });
  const [code, signal] = await once(limited, "close");
  expect([code, signal]).toEqual([1, null]);
  expect(said).toMatch(
    /^JOB_OUTPUT_FAILED the output \S+ cannot be written: EFBIG: file too large, write\n {2}what it holds is whole; /,
  );
  const content = await readFile(path, "utf8");
  expect(content.length).toBeGreaterThan(8_000);
  expect(content.endsWith("\n")).toBe(true);
  await using journal = await open(path);
  expect(journal.recorded.mended).toBe(0);
  expect(journal.recorded.failed).toBe(content.trimEnd().split("\n").length);
});

/** What a process would write into its lock. */
async function lockOf(pid: number): Promise<string> {
  const path = newPath();
  await using _lock = await lockOutput(path);
  const holder = JSON.parse(await readFile(`${path}.lock`, "utf8")) as object;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return JSON.stringify({ ...holder, pid, started: stat.replace(/^.*\) /s, "").split(" ")[19] });
}
