/** examples/jobs.ts as people run it, twice. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { writeTinyModel } from "../jobs/tiny-job.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import "../support/needs-python.ts";
import { exhaustive } from "../support/exhaustive.ts";

test(exhaustive("the example answers a file of questions, and has nothing left to do the second time"), async () => {
  const folder = await temporaryFolder();
  const model = await writeTinyModel(join(folder, "tiny"));
  const questions = join(folder, "questions.txt");
  await writeFile(questions, "Who?\nWhere?\nWhy?\n");
  const words = ["--import", "tsxla/register", "examples/jobs.ts", model, questions];
  const run = () => promisify(execFile)(process.execPath, words, { cwd: root });
  expect((await run()).stdout).toBe("3 answered, 0 failed, workers lost 0 times\n");
  const answers = await readFile(`${questions}.answers.jsonl`, "utf8");
  const ids = answers
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
  expect(ids.sort()).toEqual(["question-1", "question-2", "question-3"]);
  expect((await run()).stdout).toBe("3 answered, 0 failed, workers lost 0 times\n");
  expect(await readFile(`${questions}.answers.jsonl`, "utf8")).toBe(answers);
}, 120_000);
