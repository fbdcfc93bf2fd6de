/**
 * A job over local workers against one request at a time on the same cores, answers compared; `--system N` compares a job
 * with one whose workers keep no beginnings instead, when all requests begin with the same N characters.
 *
 * Requests have 4 to `--tokens` tokens each, greedy. An answer may differ only from a token on at which the two largest
 * logits were nearly the same (`nearTies`); these are counted, and any other difference is an error. `--model tiny` is a
 * GPT-OSS of a few thousand weights with windows.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RuntimeFailure } from "../dsl/index.ts";
import { type JobSummary, loadModel, runJob, Worker } from "../inference/index.ts";
import { randomNumbers, writeTinyModel } from "../tests/jobs/tiny-job.ts";
import { readOptions } from "./support/options.ts";
import { defaultModel } from "./support/step.ts";
import { printTable, range, ratios } from "./support/table.ts";

export const description =
  "a job over several workers, against one request at a time; shared beginnings, with and without reuse";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, {
    model: defaultModel,
    requests: 200,
    rounds: 3,
    tokens: 12,
    workers: 2,
    rows: 8,
    system: 0,
  });
  const folder = await mkdtemp(join(tmpdir(), "tsxla-bench-"));
  try {
    const model = options.model === "tiny" ? await writeTinyModel(join(folder, "tiny")) : options.model;
    const job = async (requests: readonly Request[], prefixes?: number) =>
      await runRequests({ model, folder, requests, local: options.workers, batch: options.rows, prefixes });
    const [peer, own]: [number[], number[]] = [[], []];
    const ties = { seen: 0, parted: 0 };
    // Compiles everything into the cache.
    await job(requestsOf(16, options, 0));
    await using alone = options.system > 0 ? undefined : await openAlone(model);
    for (let round = 1; round <= options.rounds; round++) {
      const requests = requestsOf(options.requests, options, round);
      const first = alone === undefined ? await job(requests, 0) : await alone.answer(requests);
      const second = await job(requests);
      peer.push(first.seconds);
      own.push(second.seconds);
      ties.seen += second.ties.size;
      for (const { id } of requests) if (!isSame(id, first, second)) ties.parted++;
      if (alone === undefined) console.log(`${second.reusedTokens} of ${second.promptTokens} prompt tokens reused`);
    }
    console.log(
      `\n${options.model.split("/").at(-1)}, ${options.rounds} rounds of ${options.requests} requests, ` +
        `${options.workers} workers of ${options.rows} rows\n`,
    );
    printTable(
      ["", "s", "requests/s", "ratio of s"],
      [
        [alone === undefined ? "without reuse" : "one at a time", range(peer), range(rate(peer, options.requests)), ""],
        ["job", range(own), range(rate(own, options.requests)), range(ratios(own, peer), 2)],
      ],
    );
    console.log(
      `\n${ties.parted} answers part at a token that was nearly another one; ${ties.seen} have such tokens. ` +
        "All others are the same.",
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Implementation

interface Request {
  readonly id: string;
  readonly prompt: string;
  readonly tokens: number;
}

/** What was answered: texts by id, and from which token on each might have been another. */
interface Answers {
  readonly seconds: number;
  readonly texts: ReadonlyMap<string, string>;
  readonly ties: ReadonlyMap<string, number>;
}

const rate = (seconds: readonly number[], requests: number) => seconds.map((each) => requests / each);

const topics = ["the sea", "cats", "gravity", "bread", "the moon", "tea", "winter", "honey", "trains", "chess"];
const forms = ["Say something about", "What is", "Write one line on", "Why do people like", "Translate into French:"];

function requestsOf(
  count: number,
  { system, tokens }: { readonly system: number; readonly tokens: number },
  round: number,
): Request[] {
  const random = randomNumbers(round + 1);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const rules = Array.from({ length: system }, (_, n) => `Rule ${n}: ${pick(forms)} ${pick(topics)}.`);
  const instructions = rules.join(" ").slice(0, system);
  return Array.from({ length: count }, (_, n) => ({
    id: `${round}-${n}`,
    prompt: `${instructions} ${pick(forms)} ${pick(topics)} and ${pick(topics)}? ${n}`.trim(),
    tokens: 4 + Math.floor(random() * Math.max(1, tokens - 3)),
  }));
}

async function openAlone(path: string) {
  const worker = await Worker.launch();
  const model = await loadModel(path, { worker });
  const answer = async (requests: readonly Request[]): Promise<Answers> => {
    const texts = new Map<string, string>();
    const started = performance.now();
    for (const { id, prompt, tokens } of requests) {
      let text = "";
      for await (const piece of model.generate(prompt, { maxTokens: tokens })) text += piece.text;
      texts.set(id, text);
    }
    return { seconds: (performance.now() - started) / 1000, texts, ties: new Map() };
  };
  // Its programs are compiled before the clock runs.
  await answer(requestsOf(16, { system: 0, tokens: 12 }, 0));
  const close = async () => {
    await model.close();
    await worker.close();
  };
  return { answer, [Symbol.asyncDispose]: close };
}

async function runRequests({
  model,
  folder,
  requests,
  local,
  batch,
  prefixes,
}: {
  readonly model: string;
  readonly folder: string;
  readonly requests: readonly Request[];
  readonly local: number;
  readonly batch: number;
  readonly prefixes: number | undefined;
}): Promise<Answers & JobSummary> {
  const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
  const lines = requests.map(({ id, prompt, tokens }) => {
    const body = { model: "any", prompt, max_tokens: tokens, temperature: 0 };
    return JSON.stringify({ custom_id: id, method: "POST", url: "/v1/completions", body });
  });
  await writeFile(input, `${lines.join("\n")}\n`);
  const summary = await runJob({ model, input, output, local, batch, ...(prefixes === undefined ? {} : { prefixes }) });
  const answered = (await readFile(output, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  await rm(output);
  const texts = new Map<string, string>(
    answered.map(({ custom_id, response }) => [custom_id, response.body.choices[0].text]),
  );
  if (texts.size !== requests.length || summary.failed > 0 || answered.length !== requests.length) {
    throw new RuntimeFailure(
      "ANSWERS_LOST",
      `${requests.length} requests, ${answered.length} lines, ${summary.failed} failed`,
    );
  }
  const ties = new Map(summary.nearTies.map(({ customId, ties: of }) => [customId, of[0]?.index ?? 0]));
  return { ...summary, texts, ties };
}

/** @throws RuntimeFailure for answers that differ for no reason */
function isSame(id: string, first: Answers, second: Answers): boolean {
  if (first.texts.get(id) === second.texts.get(id)) return true;
  if (first.ties.has(id) || second.ties.has(id)) return false;
  const [a, b] = [first, second].map(({ texts }) => JSON.stringify(texts.get(id)));
  throw new RuntimeFailure("ANSWERS_DIFFER", `request ${id} is answered ${a} and ${b}`, { id });
}
