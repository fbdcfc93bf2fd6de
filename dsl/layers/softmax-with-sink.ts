/** Softmax with a place to put attention that no key deserves. */
import type { Tensor, Within } from "../tensor.ts";

/**
 * Softmax over `key` with one extra logit that absorbs attention and is then dropped (arXiv:2309.17453).
 *
 * Computed in f32 and returned in the type of `scores`. A row whose scores are all masked gives its attention to the sink.
 *
 * @param sink  some of the other axes of `scores`: in GPT-OSS one logit for each query head
 */
export function softmaxWithSink<B extends string>(
  scores: Tensor<B | "key">,
  sink: Within<Exclude<B, "key">>,
): Tensor<B | "key"> {
  const wide = scores.cast("f32");
  const peak = wide.maxOver("key").max(sink);
  const mass = wide.sub(peak).exp();
  return mass.div(mass.sum("key").add(peak.neg().add(sink).exp())).cast(scores.dtype);
}
