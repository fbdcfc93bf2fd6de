/**
 * `tsxla chat` as people run it: through a pipe, on a terminal, with a model that speaks Harmony and says what a script
 * tells it (./scripted.ts), and with SmolLM2, which has a template.
 *
 * Example run: npm run jest -- tests/chat
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { harmonyMessages } from "../../inference/harmony/chat.ts";
import { Harmony, type Message } from "../../inference/harmony/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { byteTokenizer } from "../support/byte-tokenizer.ts";
import { type Ended, root, runCli, smollm2, startCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { onTestWorker } from "../support/worker.ts";
import { scriptedWords, writeScripted } from "./scripted-chat.ts";

const harmony = new Harmony(byteTokenizer());
const spelled = (text: string) => harmony.tokenizer.encode(text, { parseSpecial: true });
const user = (content: string): Message => ({ role: "user", content });
const said = (channel: string, content: string): Message => ({ role: "assistant", channel, content });

const thought = "A greeting.";
const answered = [user("hello"), said("analysis", thought), said("final", "Hi there!")];
const second = "and a second question, which is longer than all that was said to the first one";
const long = "all work and no play ".repeat(45);

let folder: string;
let model: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const final = (text: string, end = "<|return|>") =>
    spelled(
      `<|channel|>analysis<|message|>${thought}<|end|><|start|>assistant<|channel|>final<|message|>${text}${end}`,
    );
  model = await writeScripted(join(folder, "scripted"), harmony, [
    { prompt: harmonyMessages([user("hello")]), answer: final("Hi there!") },
    // Its thoughts are gone by then, its answer is not.
    { prompt: harmonyMessages([...answered, user(second)]), answer: final("Once more.") },
    { prompt: harmonyMessages([user("x".repeat(400))]), answer: final(long) },
    {
      prompt: harmonyMessages([user("y".repeat(300))]),
      answer: spelled(
        "<|channel|>analysis<|message|>So I call it.<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
      ),
    },
  ]);
});

/** What lines of stdin are answered. */
async function chat(lines: readonly string[], ...words: string[]): Promise<Ended> {
  const all = ["chat", ...scriptedWords(model), ...words, ...(await onTestWorker())];
  const running = startCli(all, {}, { stdin: "pipe" });
  running.process.stdin?.end(lines.map((line) => `${line}\n`).join(""));
  return await running.ended;
}

describe("through a pipe", () => {
  test("answers each line, on stdout, with what was said before in mind, and without thoughts", async () => {
    const file = join(folder, "saved.json");
    const { code, stdout, stderr } = await chat(["hello", "", second, `/save ${file}`]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Hi there!\nOnce more.\n" });
    expect(stderr).not.toContain(thought);
    expect(stderr).toContain(`(6 messages in ${file})`);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
      messages: [...answered, user(second), said("analysis", thought), said("final", "Once more.")],
    });
  });

  test("forgets with /reset, asks several lines at once, and tells of what it cannot do", async () => {
    const { code, stdout, stderr } = await chat([
      '"""',
      "hello",
      '"""',
      "/reset",
      "hello",
      "hello ".repeat(900),
      "/nonsense",
      "/save",
      "/help",
      "/quit",
      "hello",
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Hi there!\nHi there!\n" });
    expect(stderr).toContain("(what was said is forgotten)");
    expect(stderr).toContain(
      "tsxla: /nonsense is none of /help, /reset, /save, /quit; to ask it, begin with two slashes",
    );
    expect(stderr).toMatch(/tsxla: the prompt has \d+ tokens, and the context holds 4096/);
    expect(stderr).toContain("tsxla: /save needs the name of a file: /save chat.json");
    expect(stderr).toMatch(/^\/reset +forget what was said$/m);
  });

  test(exhaustive("says when an answer was cut off, never came, or is the call of a tool, and goes on"), async () => {
    const cut = await chat(["hello", "/reset", "hello"], "--max-tokens", "20");
    expect(cut).toMatchObject({ code: 0, stdout: "" });
    expect(
      cut.stderr.match(/no answer yet: the model was thinking for all of its 20 tokens; --max-tokens/g),
    ).toHaveLength(2);
    const calls = await chat(["y".repeat(300)]);
    expect(calls.stderr).toContain("(no answer: the model calls functions.f)");
  });

  test("an interruption ends the answer, and what was said stays", async () => {
    const file = join(folder, "interrupted.json");
    const running = startCli(["chat", ...scriptedWords(model), ...(await onTestWorker())], {}, { stdin: "pipe" });
    running.process.stdin?.write(`${"x".repeat(400)}\n`);
    await running.until(/all work and no play/);
    running.process.kill("SIGINT");
    await running.until(/\(interrupted\)/);
    running.process.stdin?.end(`/save ${file}\n`);
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    const { messages } = JSON.parse(await readFile(file, "utf8")) as { messages: Message[] };
    expect(messages.slice(1)).toEqual([said("analysis", thought), said("final", stdout.slice(0, -1))]);
    expect(long.startsWith(stdout.slice(0, -1))).toBe(true);
    expect(stdout.length).toBeLessThan(long.length);
  });

  test("refuses an effort that there is not, and one for a model that does not speak Harmony", async () => {
    expect(await chat([], "--reasoning", "extreme")).toMatchObject({ code: 2, stdout: "" });
    const words = ["chat", "--model", smollm2, "--reasoning", "low", ...(await onTestWorker())];
    expect(await runCli(words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("reasoning is for chats with a GPT-OSS: the model does not speak Harmony"),
    });
  });
});

describe("on a terminal", () => {
  /** What is shown when keys are pressed, each after a text was seen. */
  async function onTerminal(steps: readonly (readonly [string, string])[], ...words: string[]) {
    const all = [join(root, "bin/tsxla.mjs"), "chat", ...scriptedWords(model), ...words, ...(await onTestWorker())];
    const script = join(root, "tests/chat/terminal.py");
    const { stdout } = await promisify(execFile)(projectPython, [
      script,
      JSON.stringify(steps),
      process.execPath,
      ...all,
    ]);
    return JSON.parse(stdout) as { readonly shown: string; readonly code: number; readonly left: unknown[] };
  }

  test("shows thoughts dimmed and answers plain; Ctrl-C gives a line up, and then the chat", async () => {
    const { shown, code, left } = await onTerminal([
      ["> ", "hello\r"],
      ["Hi there!", ""],
      ["> ", "half a line\x03"],
      ["^C", "\x03"],
    ]);
    expect({ code, left }).toEqual({ code: 0, left: [] });
    expect(shown).toContain(`\x1b[2m${thought}\x1b[0m\r\nHi there!\r\n`);
  });

  test("Ctrl-C interrupts an answer, and the next question is asked", async () => {
    const { shown, code, left } = await onTerminal([
      ["> ", `${"x".repeat(400)}\r`],
      ["all work", "\x03"],
      ["(interrupted)", ""],
      ["> ", "/reset\r"],
      ["> ", "hello\r"],
      ["Hi there!", ""],
      ["> ", "\x04"],
    ]);
    expect({ code, left }).toEqual({ code: 0, left: [] });
    expect(shown).toContain("Hi there!");
  });
});

test("a model with a template chats too, and its cache goes on", async () => {
  const running = startCli(
    ["chat", "--model", smollm2, "--max-tokens", "12", ...(await onTestWorker())],
    {},
    { stdin: "pipe" },
  );
  running.process.stdin?.end("What is the capital of France?\nAnd of Italy?\n");
  const { code, stdout } = await running.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/Paris.*\n.*Rome/s);
});

describe("generate", () => {
  test("prints the final answer alone, and all that was said with --json", async () => {
    const words = ["generate", ...scriptedWords(model), "--prompt", "hello", ...(await onTestWorker())];
    const plain = await runCli(words);
    expect(plain).toMatchObject({ code: 0, stdout: "Hi there!\n" });
    expect(plain.stderr).not.toContain(thought);
    const { stdout } = await runCli([...words, "--json", "--reasoning", "medium"]);
    expect(JSON.parse(stdout)).toMatchObject({
      text: "Hi there!",
      finishReason: "stop",
      messages: [
        { role: "assistant", channel: "analysis", content: thought },
        { role: "assistant", channel: "final", content: "Hi there!", end: "return" },
      ],
    });
    // The effort is in the prompt.
    const low = await runCli([...words, "--json", "--reasoning", "low", "--max-tokens", "1"]);
    const { promptTokens } = JSON.parse(low.stdout) as { promptTokens: number[] };
    expect(harmony.tokenizer.decode(promptTokens)).toMatch(
      /Reasoning: low\n\n# Valid channels: .*<\|end\|><\|start\|>user<\|message\|>hello<\|end\|><\|start\|>assistant$/s,
    );
  });

  test("answers a file of prompts, each by itself", async () => {
    const file = join(folder, "prompts.txt");
    await writeFile(file, "hello\nhello\n");
    const words = ["generate", ...scriptedWords(model), "--prompts", file, "--json", ...(await onTestWorker())];
    const { answers } = JSON.parse((await runCli(words)).stdout) as {
      answers: { text: string; messages: Message[] }[];
    };
    expect(answers.map(({ text }) => text)).toEqual(["Hi there!", "Hi there!"]);
    expect(answers[1]?.messages).toMatchObject([{ channel: "analysis" }, { channel: "final", content: "Hi there!" }]);
  });

  test("a stop string is looked for in the answer, not in the thoughts; --raw knows no effort", async () => {
    const words = ["generate", ...scriptedWords(model), "--prompt", "hello", ...(await onTestWorker())];
    expect(await runCli([...words, "--stop", "greeting", "--stop", " there"])).toMatchObject({
      code: 0,
      stdout: "Hi\n",
    });
    expect(await runCli([...words, "--raw", "--reasoning", "low"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("reasoning is for chats with a GPT-OSS: the prompt is no chat"),
    });
  });
});
