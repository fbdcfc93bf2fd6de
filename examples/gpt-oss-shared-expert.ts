/** GPT-OSS with a shared expert, which every position uses beside those that it chooses (arXiv:2401.06066, section 3.2). */
import { param, rmsNorm, untrained } from "tsxla";
import { gptOssExpert, gptOssMoe, gptOssMoeWeights, gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  moe: {
    weights: (ax) => ({
      ...gptOssMoeWeights(ax),
      shared: untrained({
        gateUp: param("mlp.shared_expert.gate_up_proj.weight", ax.mlp, ax.part, ax.embed),
        gateUpBias: param("mlp.shared_expert.gate_up_proj.bias", ax.mlp, ax.part),
        down: param("mlp.shared_expert.down_proj.weight", ax.embed, ax.mlp),
        downBias: param("mlp.shared_expert.down_proj.bias", ax.embed),
      }),
    }),
    forward: (w, x, ax, c) => gptOssMoe(w, x, ax, c).add(gptOssExpert(w.shared, rmsNorm(x, w.norm, c.normEps), c)),
  },
});
