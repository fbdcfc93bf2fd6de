/** GPT-OSS with a mistake: the linear half of an expert is not raised by one. */
import { forChosen, rmsNorm } from "tsxla";
import { chooseExperts, gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  moe: {
    ...gptOssParts.moe,
    forward: (w, x, ax, c) => {
      const h = rmsNorm(x, w.norm, c.normEps);
      const mixed = forChosen(ax.expert, chooseExperts(w, h, ax), w.experts, (e) => {
        const both = h.dot(e.gateUp, "embed").add(e.gateUpBias);
        const gate = both.at("part", 0).min(c.swigluLimit);
        const up = both.at("part", 1).max(-c.swigluLimit).min(c.swigluLimit);
        return gate.mul(gate.mul(1.702).sigmoid()).mul(up).dot(e.down, "mlp").add(e.downBias);
      });
      return x.add(mixed);
    },
  },
});
