/** Names that files outside of this repository may still use, and what took their place. */
import type { Angles, KeyValueCache, Tensor, Weights } from "../dsl/index.ts";
import type { LlamaConfig } from "./llama.config.ts";
import { llamaAttention, llamaAttentionWeights, llamaMlp, llamaMlpWeights } from "./llama.ts";

// Public API

/** @deprecated It is `llamaAttentionWeights` now. */
export const attentionWeights = llamaAttentionWeights;

/** @deprecated It is `llamaMlpWeights` now. */
export const mlpWeights = llamaMlpWeights;

/** @deprecated Add `llamaAttention`, which takes a window too, to the stream. */
export function attention(
  w: Weights<typeof llamaAttentionWeights>,
  x: Stream,
  cache: KeyValueCache,
  angles: Angles<"batch" | "pos" | "dim">,
  c: LlamaConfig,
): Stream {
  return x.add(llamaAttention(w, x, { cache, angles, rotaryDim: c.rope.rotaryDim, window: undefined }, c));
}

/** @deprecated Add `llamaMlp`, which takes an activation too, to the stream. */
export function mlp(w: Weights<typeof llamaMlpWeights>, x: Stream, c: LlamaConfig): Stream {
  return x.add(llamaMlp(w, x, c));
}

// Implementation

type Stream = Tensor<"batch" | "pos" | "embed">;
