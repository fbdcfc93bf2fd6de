/** What the programs that load weights counted: numbers that cannot be held as they are. */
import { InputError, type Storage } from "../../dsl/index.ts";
import type { Feed } from "../../models/index.ts";
import { type DeviceBuffer, type HostTensor, toInt32Array, type Worker } from "../../runtime-bridge/index.ts";

// Public API

/** A weight whose load program counts. */
export interface WeightCheck {
  readonly feed: Feed;
  readonly storage: Storage;
  /** How many, one i32. It is released. */
  readonly invalid: DeviceBuffer;
}

/**
 * Refuses a model of which a number would be changed, as a whole.
 *
 * @throws InputError naming every tensor: with scales of MXFP4 that are no numbers, or with rows that spread further than a
 * form without loss can hold
 */
export async function requireExact(worker: Worker, checks: readonly WeightCheck[]): Promise<void> {
  const counts = await Promise.all(checks.map(({ invalid }) => worker.download(invalid)));
  await worker.release(checks.map(({ invalid }) => invalid));
  const bad = checks.flatMap(({ feed, storage }, n) => {
    const count = toInt32Array(counts[n] as HostTensor)[0] as number;
    return count === 0 ? [] : [{ name: feed.tensors.at(-1)?.name ?? feed.path, storage, count }];
  });
  const scales = bad.filter(({ storage }) => storage === "mxfp4");
  if (scales.length > 0) {
    const lines = scales.map(({ name, count }) => `  ${name}: ${count} scales`);
    const sentence = "the checkpoint has scales of 255, which is NaN in E8M0";
    throw new InputError("MXFP4_SCALE", [sentence, ...lines].join("\n"), { tensors: scales });
  }
  if (bad.length === 0) return;
  const lines = bad.map(({ name, count }) => `  ${name}: ${count} numbers`);
  const form = bad[0]?.storage;
  throw new InputError(
    "WEIGHTS",
    [
      `the checkpoint cannot be held as ${form} without loss`,
      ...lines,
      "  hint  --weights mxfp4 or bf16 holds it",
    ].join("\n"),
    { tensors: bad },
  );
}
