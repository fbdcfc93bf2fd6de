/**
 * GPT-OSS with a norm inside each expert, before the second matrix, as in NormFormer (arXiv:2110.09456). The body of
 * `forChosen` is any code: how experts are looped over, sorted or split is not its affair.
 */
import { forChosen, param, rmsNorm, untrained } from "tsxla";
import { chooseExperts, clampedSwiglu, gptOssMoeWeights, gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  moe: {
    weights: (ax) => {
      const { experts, ...rest } = gptOssMoeWeights(ax);
      const scale = param("mlp.experts.norm.weight", ax.expert, ax.mlp);
      return { ...rest, experts: { ...experts, scale: untrained(scale, { mean: 1 }) } };
    },
    forward: (w, x, ax, c) => {
      const h = rmsNorm(x, w.norm, c.normEps);
      const out = forChosen(ax.expert, chooseExperts(w, h, ax), w.experts, (e) => {
        const inner = clampedSwiglu(h.dot(e.gateUp, "embed").add(e.gateUpBias), c);
        return rmsNorm(inner, e.scale, c.normEps).dot(e.down, "mlp").add(e.downBias);
      });
      return x.add(out);
    },
  },
});
