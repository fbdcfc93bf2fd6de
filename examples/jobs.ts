/**
 * A job: a file of questions, answered over every worker that is named, whatever dies on the way.
 *
 *     node --import tsxla/register examples/jobs.ts gpt-oss-20b questions.txt gpu-1:7070 gpu-2:7070
 *
 * Run it again after whatever ended it: it goes on where it was. Without workers it starts one here.
 */
import { readFile, writeFile } from "node:fs/promises";
import { runJob } from "tsxla/inference";

const [model = "", questions = "", ...workers] = process.argv.slice(2);
const lines = (await readFile(questions, "utf8")).trimEnd().split("\n");
const requests = lines.map((content, n) => {
  const body = { model, messages: [{ role: "user", content }], max_tokens: 64, temperature: 0 };
  return JSON.stringify({ custom_id: `question-${n + 1}`, method: "POST", url: "/v1/chat/completions", body });
});
await writeFile(`${questions}.requests.jsonl`, `${requests.join("\n")}\n`);

const summary = await runJob({
  model,
  input: `${questions}.requests.jsonl`,
  output: `${questions}.answers.jsonl`,
  workers,
  onEvent: (event) => {
    if (event.kind === "progress") console.error(`${event.answered + event.failed} of ${event.total} done`);
    if (event.kind === "worker") console.error(`${event.name}: ${event.state} ${event.reason ?? ""}`);
  },
});
console.log(`${summary.answered} answered, ${summary.failed} failed, workers lost ${summary.workersLost} times`);
