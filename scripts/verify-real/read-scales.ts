/** Reads the scales of a checkpoint's MXFP4 matrices, one matrix at a time, in any layout that tsxla reads. */
import { lower } from "../../compiler/index.ts";
import { axis, type Tensor, trace } from "../../dsl/index.ts";
import type { ModelFiles } from "../../inference/index.ts";
import { tableOf } from "../../models/checkpoints/layouts.ts";
import { isMxfp4, loadGraph, matchCheckpoint } from "../../models/index.ts";
import type { Worker } from "../../runtime-bridge/index.ts";
import { type ScaleSpread, spreadOf } from "./scale-spread.ts";

// Public API

/** The spread of one matrix, by its path in the model. */
export interface MatrixSpread {
  readonly path: string;
  readonly spread: ScaleSpread;
}

/** Reads matrix after matrix; of one that is no MXFP4 nothing is said. */
export async function* readScales(
  worker: Worker,
  files: ModelFiles,
  signal: AbortSignal,
): AsyncGenerator<MatrixSpread> {
  const { architecture, checkpoint, config } = files;
  const table = tableOf(architecture, checkpoint.container);
  const feeds = matchCheckpoint(architecture.weights(config), checkpoint.tensors, table, []);
  for (const feed of feeds.filter(isMxfp4)) {
    const loader = await worker.compile(lower(loadGraph(feed, "mxfp4")), { signal });
    const tensors = feed.tensors.map(({ name }) => name);
    const [made = []] = await worker.load(checkpoint, [{ executable: loader, tensors }], { signal });
    try {
      const [blocks, scales] = made;
      if (blocks === undefined || scales === undefined) throw new Error(`${feed.path} has no blocks and scales`);
      const counter = await worker.compile(lower(occupied(blocks.shape)), { signal });
      const { results } = await worker.execute(counter, [blocks], { fetch: "all", signal });
      const { data, shape } = await worker.download(scales, { signal });
      const spread = spreadOf(data as Uint8Array, results[0]?.data as Uint8Array, shape.at(-1) as number);
      yield { path: feed.path, spread };
    } finally {
      await worker.release(made);
    }
  }
}

// Implementation

/** Whether each block has an element that is not zero: all bits of a code but its sign. */
function occupied(shape: readonly number[]) {
  const axes = shape.map((size, n) => axis(n === shape.length - 1 ? "byte" : `d${n}`, size));
  return trace("occupied", ({ input }) => {
    const blocks = input("blocks", "u8", ...axes) as Tensor<string>;
    return { occupied: blocks.and(0x77).maxOver("byte") };
  });
}
