/**
 * Prompt tokens a second, against XLA's best product here: most of a prefill is products of two large matrices.
 *
 * The peer is one square product in the same run and in turn (matmul.py). Operations counted: two for each weight and
 * token, the unembedding for one position, and attention's two products.
 */
import { Worker } from "../runtime-bridge/index.ts";
import { PythonHelper } from "./peers/python-helper.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { defaultModel, loadForBench } from "./support/step.ts";
import { median, printTable, range, ratios } from "./support/table.ts";

export const description = "prompt tokens a second, against XLA's best matrix product";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, { model: defaultModel, compute: "f32", rounds: 8 });
  await using worker = await Worker.launch();
  const { programs, weightCount, compile } = await loadForBench(worker, options.model, options.compute);
  const size = 2048;
  await using product = await PythonHelper.start(
    "matmul.py",
    String(size),
    { f32: "float32", bf16: "bfloat16" }[options.compute]!,
  );
  const noise = watchNoise(() => [worker.processId!, product.processId]);
  const { config } = programs;
  const rows: string[][] = [];
  for (const pos of [64, 512]) {
    const capacity = pos;
    const step = await compile({ pos, capacity });
    const { session, call } = await step.open();
    const [device, peer]: [number[], number[]] = [[], []];
    for (let round = -1; round < options.rounds; round++) {
      const times: number[] = [];
      for (let n = 0; n < 3; n++) {
        const { executeSeconds } = await session.step(call, step.inputs(0), { fetch: step.candidates });
        times.push(executeSeconds);
      }
      const products = (await product.ask(null)) as number[];
      if (round < 0) continue; // warms both up
      device.push(median(times));
      peer.push(median(products));
    }
    await session.close();
    // The table of embeddings is looked up, and multiplied once for the last position.
    const heads = (config as { readonly heads?: number }).heads ?? config.kvHeads;
    const attention = 4 * config.layers * heads * config.headDim * pos * capacity;
    const embedding = config.vocab * (config as unknown as { readonly embed: number }).embed;
    const flops = 2 * (weightCount - embedding) * pos + 2 * embedding + attention;
    const rate = device.map((seconds) => flops / seconds / 1e9);
    const best = peer.map((seconds) => (2 * size ** 3) / seconds / 1e9);
    rows.push([
      String(pos),
      range(device.map((seconds) => seconds * 1000)),
      range(
        device.map((seconds) => pos / seconds),
        0,
      ),
      range(rate, 0),
      range(best, 0),
      range(ratios(rate, best), 2),
    ]);
  }
  console.log(
    `\n${options.model.split("/").at(-1)}, ${options.compute}; ${options.rounds} rounds, each with products of ${size} x ${size}\n`,
  );
  printTable(["prompt tokens", "ms", "tokens/s", "GFLOP/s", "GFLOP/s of the product", "ratio"], rows);
  console.log(`\n${noise.report()}`);
}
