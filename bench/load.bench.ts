/**
 * Loading: from the file to weights on the device, in bytes of the file and of what they become, a second.
 *
 * The file is in the page cache after the first round, which is not counted. Memory is what the kernel says of the
 * worker: now, and at its peak.
 */
import { Worker } from "../runtime-bridge/index.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { defaultModel, loadForBench } from "./support/step.ts";
import { printTable, range } from "./support/table.ts";

export const description = "GB/s from the checkpoint to the device, and the worker's memory";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, { model: defaultModel, compute: "f32", rounds: 5 });
  const seconds: number[] = [];
  const [resident, peak, empty]: [number[], number[], number[]] = [[], [], []];
  let fileBytes = 0;
  let bytes = 0;
  const noises: string[] = [];
  for (let round = -1; round < options.rounds; round++) {
    await using worker = await Worker.launch();
    const before = await worker.info();
    const noise = watchNoise(() => [worker.processId!]);
    // The loaders come from the compile cache: the second run of a model is what is measured.
    const started = performance.now();
    const { weightBytes, tensorBytes, programs } = await loadForBench(worker, options.model, options.compute);
    const took = (performance.now() - started) / 1000;
    const after = await worker.info();
    bytes = weightBytes;
    fileBytes = tensorBytes;
    await programs.release();
    if (round < 0) continue;
    seconds.push(took);
    empty.push(before.residentBytes / 1e6);
    resident.push(after.residentBytes / 1e6);
    peak.push(after.peakResidentBytes / 1e6);
    noises.push(noise.report());
  }
  console.log(
    `\n${options.model.split("/").at(-1)}, ${options.compute}; ${options.rounds} workers, the file in the page cache\n`,
  );
  printTable(
    ["seconds", "GB/s of the file", "GB/s of the weights", "weights MB", "worker before MB", "after MB", "peak MB"],
    [
      [
        range(seconds, 2),
        range(
          seconds.map((each) => fileBytes / each / 1e9),
          2,
        ),
        range(
          seconds.map((each) => bytes / each / 1e9),
          2,
        ),
        (bytes / 1e6).toFixed(0),
        range(empty, 0),
        range(resident, 0),
        range(peak, 0),
      ],
    ],
  );
  console.log(`\n${noises.at(-1)}`);
}
