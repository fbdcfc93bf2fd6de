/**
 * A GPT-OSS that says what it is told to: its weights hold, for each position, which token is the likeliest next.
 *
 * All else is real: attention, caches and experts run, and what they give is outweighed. Given to the command by `--arch`.
 */
import { axis, param, type Tensor } from "tsxla";
import { type Architecture, type ForwardInputs, type GptOssConfig, gptOss } from "tsxla/models";

/** A row of the stream's width for each position. */
export const scriptOf = (c: GptOssConfig) => param("script.weight", axis("script", c.context), axis("embed", c.embed));

type Real = Parameters<typeof gptOss.forward>[0];

export default {
  ...gptOss,
  weights: (c) => ({ ...gptOss.weights(c), script: scriptOf(c) }),
  forward: (w, given, c) => {
    const said = w.script.take("script", given.positions);
    return gptOss.forward(w, given, c).mul(1e-3).add(said) as Tensor<"batch" | "pos" | "embed">;
  },
} satisfies Architecture<GptOssConfig, Real & { readonly script: Tensor<"script" | "embed"> }>;

export type { ForwardInputs };
