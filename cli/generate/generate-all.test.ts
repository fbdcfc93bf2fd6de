/** `tsxla generate --prompts` as people run it. Slow for its size: it loads SmolLM2 twice. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import { runCli, smollm2, temporaryFolder } from "../../tests/support/cli.ts";
import { exhaustive } from "../../tests/support/exhaustive.ts";
import { onTestWorker } from "../../tests/support/worker.ts";

let file: string;

beforeAll(async () => {
  file = join(await temporaryFolder(), "prompts.txt");
  const long = "far ".repeat(70);
  await writeFile(file, `What is the capital of France?\n\n${long}\nName three seas.\n`);
});

const run = async (...words: readonly string[]) =>
  runCli(["generate", "--model", smollm2, "--context", "64", "--max-tokens", "8", ...words, ...(await onTestWorker())]);

test("prints the answers in order, tells the line that is too long, and ends with 2", async () => {
  const { code, stdout, stderr } = await run("--prompts", file);
  expect(stdout.split("\n")).toEqual([
    "--- 1: What is the capital of France?",
    "The capital of France is Paris.",
    expect.stringMatching(/^--- 3: (far ){17}far…$/),
    expect.stringMatching(/^\(no answer: the prompt has \d+ tokens, and the context holds 64\)$/),
    "--- 4: Name three seas.",
    expect.any(String),
    "",
  ]);
  expect(stderr).toMatch(/^cache 2 × 256 positions and one for prefills, 35\.4 MB$/m);
  expect(stderr).toMatch(/2 answers, 2 at once, \d+ tokens of prompts · 16 tokens, [\d.]+ tokens\/s over all/);
  expect(stderr).toMatch(/prompts\.txt:3: the prompt has \d+ tokens, and the context holds 64$/m);
  expect(code).toBe(2);
});

test(exhaustive("--json is one object with all answers"), async () => {
  const { code, stdout } = await run("--prompts", file, "--json");
  const { answers, ...figures } = JSON.parse(stdout);
  expect(answers).toMatchObject([
    { line: 1, text: "The capital of France is Paris.", finishReason: "stop", answerCount: 8 },
    { line: 3, error: { code: "PROMPT_TOO_LONG" } },
    { line: 4, prompt: "Name three seas.", finishReason: "length" },
  ]);
  expect(figures).toMatchObject({ rows: 2, answerCount: 16, seed: expect.stringMatching(/^\d+$/) });
  expect(code).toBe(2);
});

test("needs a prompt or a file of them, not both", async () => {
  const both = await run("--prompt", "hi", "--prompts", file);
  expect(both).toMatchObject({ code: 2, stdout: "" });
  expect(both.stderr).toContain("option '--prompts <file>' cannot be used with option '--prompt <text>'");
  const neither = await run();
  expect(neither.stderr).toContain("generate needs --prompt TEXT, or --prompts FILE with a prompt a line");
  expect(neither.code).toBe(2);
});
