/**
 * GPT-OSS with finer experts: twice as many of half the width, and twice as many chosen, for the same arithmetic
 * (arXiv:2401.06066, section 3.1). Attention is the checkpoint's. Its experts have other sizes and are left unused; the
 * new ones are untrained.
 */
import { under, untrained, unused } from "tsxla";
import { gptOssMoe, gptOssMoeWeights, gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  config: (c) => ({ ...c, experts: 2 * c.experts, expertsPerToken: 2 * c.expertsPerToken, mlp: c.mlp / 2 }),
  moe: {
    weights: (ax) => {
      const { norm, ...published } = gptOssMoeWeights(ax);
      return { norm, ...untrained(under("finer.", published)), published: unused(published) };
    },
    forward: (w, x, ax, c) => gptOssMoe(w, x, ax, c),
  },
});
