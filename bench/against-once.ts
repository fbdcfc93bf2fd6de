/**
 * The measurements of one checkout, for against.bench.ts: answers each line of standard input with a line of JSON.
 *
 * Arguments: CHECKOUT MODEL. The library comes from that checkout, so that this file drives old and new code alike.
 */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [checkout, modelPath] = process.argv.slice(2) as [string, string];
const entry = pathToFileURL(`${checkout}/inference/index.ts`).href;
const { loadModel, Worker } = (await import(entry)) as typeof import("../inference/index.ts");

const worker = await Worker.launch();
const model = await loadModel(modelPath, { worker, context: 512 });
const engine = await model.serve({ rows: 8 });
const prompt = { tokens: Array.from({ length: 12 }, (_, n) => 20 + 7 * n) };
const tokens = 32;

/** Tokens a second after the first, of one answer. */
async function decode(stepsPerCall: number | undefined): Promise<number> {
  const answer = model.generate(prompt, { maxTokens: tokens, minTokens: tokens, stepsPerCall });
  for (;;) {
    const { done, value } = await answer.next();
    if (done === true) return (tokens - 1) / value.decodeSeconds;
  }
}

/** Tokens a second of eight requests at once. */
async function batching(): Promise<number> {
  const started = performance.now();
  const requests = Array.from({ length: 8 }, async (_, n) => {
    const own = { tokens: prompt.tokens.map((id) => id + n) };
    for await (const _piece of engine.generate(own, { maxTokens: tokens, minTokens: tokens })) {
      // The engine's speed is what counts.
    }
  });
  await Promise.all(requests);
  return (8 * tokens * 1000) / (performance.now() - started);
}

const measurements: Readonly<Record<string, () => Promise<number>>> = {
  decode: () => decode(1),
  steps: () => decode(undefined),
  batching,
};

console.log(JSON.stringify(worker.processId));
for await (const name of createInterface(process.stdin)) {
  console.log(JSON.stringify(await measurements[name]?.()));
}
await engine.close();
await model.close();
await worker.close();
