/**
 * Tokens a second, one at a time, against what memory allows: every step reads all weights once.
 *
 * The bound is measured in the same run and in turn, by a plain read of as many bytes (read_memory.py). The step is
 * driven as `generate` drives it, through the bridge and with candidates.
 */
import { Worker } from "../runtime-bridge/index.ts";
import { PythonHelper } from "./peers/python-helper.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { defaultModel, loadForBench } from "./support/step.ts";
import { median, printTable, range, ratios } from "./support/table.ts";

export const description = "tokens a second, against a plain read of the weights' bytes";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, { model: defaultModel, compute: "f32", capacity: 512, rounds: 10, steps: 24 });
  await using worker = await Worker.launch();
  const { weightBytes, compile } = await loadForBench(worker, options.model, options.compute);
  await using memory = await PythonHelper.start("read_memory.py", String(weightBytes));
  const noise = watchNoise(() => [worker.processId!, memory.processId]);
  const step = await compile({ pos: 1, capacity: options.capacity });
  const { session, call } = await step.open();
  const [through, device, reads]: [number[], number[], number[]] = [[], [], []];
  const [bestThrough, bestDevice]: [number[], number[]] = [[], []];
  for (let round = -1; round < options.rounds; round++) {
    const [times, inside]: [number[], number[]] = [[], []];
    for (let n = 0; n < options.steps; n++) {
      const started = performance.now();
      const { executeSeconds } = await session.step(call, step.inputs(n), { fetch: step.candidates });
      times.push(performance.now() - started);
      inside.push(executeSeconds * 1000);
    }
    const read = ((await memory.ask(null)) as number[]).map((seconds) => seconds * 1000);
    if (round < 0) continue; // warms both up
    through.push(median(times));
    device.push(median(inside));
    // The bound is the best of a few reads, so it is compared with the best of a few steps.
    bestThrough.push(Math.min(...times));
    bestDevice.push(Math.min(...inside));
    reads.push(Math.min(...read));
  }
  await session.close();
  const perSecond = (ms: readonly number[]) => ms.map((each) => 1000 / each);
  const speed = (ms: readonly number[]) => ms.map((each) => weightBytes / each / 1e6);
  const name = options.model.split("/").at(-1);
  console.log(
    `\n${name}, ${options.compute}, ${(weightBytes / 1e6).toFixed(0)} MB of weights, cache of ${options.capacity}; ` +
      `${options.rounds} rounds of ${options.steps} tokens, each with a read of as many bytes\n`,
  );
  printTable(
    ["", "ms", "tokens/s", "GB/s of weights", "share of the bound, best of each round"],
    [
      [
        "a token, from Node",
        range(through),
        range(perSecond(through)),
        range(speed(through)),
        range(ratios(reads, bestThrough), 3),
      ],
      [
        "a token, in the worker",
        range(device),
        range(perSecond(device)),
        range(speed(device)),
        range(ratios(reads, bestDevice), 3),
      ],
      ["a read of the weights", range(reads), range(perSecond(reads)), range(speed(reads)), ""],
    ],
  );
  console.log(`\n${noise.report()}`);
}
