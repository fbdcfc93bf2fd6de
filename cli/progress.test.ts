import { describe, expect, jest, test } from "@jest/globals";
import "../tests/support/plain-snapshots.ts";
import { Progress } from "./progress.ts";

/** A stream that keeps what is written, as a terminal or as a file. */
function stream(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { written, as: { isTTY, columns: 60, write } as unknown as NodeJS.WriteStream };
}

describe("progress that is not on a terminal", () => {
  test("is one plain line a stage, when it is over", async () => {
    const { written, as } = stream(false);
    const progress = new Progress(as);
    progress.begin("compiling decode");
    expect(written).toEqual([]);
    progress.end("compiling decode", 1.234, "from the compile cache");
    const bar = progress.bar("loading");
    bar.update(5e6, 1e7);
    expect(written).toHaveLength(1);
    bar.finish("10.0 MB");
    progress.say("done");
    expect(written.join("").replace(/\d\.\d\d s {2}10/, "0.01 s  10")).toMatchInlineSnapshot(`
compiling decode           1.23 s  from the compile cache
loading                    0.01 s  10.0 MB
done

`);
    expect(written.join("")).not.toContain("\x1b");
  });

  test("says nothing of a stage that failed", async () => {
    const { written, as } = stream(false);
    const failing = new Progress(as).stage("loading", () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(written).toEqual([]);
  });

  test("remembers what each stage took", async () => {
    const progress = new Progress(stream(false).as);
    expect(await progress.stage("loading", async () => 7)).toBe(7);
    progress.end("compiling", 2, "fresh");
    expect(progress.taken).toEqual([
      { name: "loading", seconds: expect.any(Number), note: "" },
      { name: "compiling", seconds: 2, note: "fresh" },
    ]);
  });
});

describe("progress on a terminal", () => {
  test("moves in one line no longer than the terminal is wide, and leaves the plain lines behind", () => {
    jest.replaceProperty(process, "env", { TERM: "xterm" });
    const { written, as } = stream(true);
    const progress = new Progress(as);
    progress.begin("compiling");
    progress.end("compiling", 1, "");
    const bar = progress.bar("loading a checkpoint with a long name");
    bar.update(5e6, 1e7);
    const drawn = written.at(-1)!;
    expect(drawn).toMatch(/^\r\x1b\[K/);
    expect(drawn.replace("\r\x1b[K", "").length).toBe(59);
    bar.finish("");
    const lines = written.join("").split("\n");
    expect(lines.map((line) => line.split("\r\x1b[K").at(-1))).toEqual([
      expect.stringMatching(/^compiling +1\.00 s$/),
      expect.stringMatching(/^loading a checkpoint with a long name +0\.\d\d s$/),
      "",
    ]);
    jest.restoreAllMocks();
  });

  test("stays plain where a terminal can't move or a log is kept", () => {
    for (const env of [{ TERM: "dumb" }, { TERM: "xterm", CI: "true" }]) {
      jest.replaceProperty(process, "env", env);
      const { written, as } = stream(true);
      new Progress(as).begin("compiling");
      expect(written).toEqual([]);
      jest.restoreAllMocks();
    }
  });
});
