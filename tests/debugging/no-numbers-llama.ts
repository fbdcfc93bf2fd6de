/** A Llama with a mistake: the square root of what may be negative. */
import { part } from "tsxla";
import { type Architecture, type LlamaConfig, llama } from "tsxla/models";

export default {
  ...llama,
  forward: (w, given, c) => part("broken", () => llama.forward(w, given, c).sqrt()),
} satisfies Architecture<LlamaConfig>;
