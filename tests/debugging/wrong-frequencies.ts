/** A Llama with a mistake: it turns half as fast. */
import { type Architecture, type LlamaConfig, llama } from "tsxla/models";

export default {
  ...llama,
  forward: (w, given, c) => llama.forward(w, { ...given, frequencies: given.frequencies.mul(0.5) }, c),
} satisfies Architecture<LlamaConfig>;
