/** GPT-OSS without sinks: a sink of minus infinity takes no attention, so the softmax is over the keys alone. */
import { full, unused } from "tsxla";
import { gptOssAttention, gptOssAttentionWeights, gptOssAxes, gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  attention: {
    weights: (ax) => {
      const { sinks, ...rest } = gptOssAttentionWeights(ax);
      return { ...rest, published: unused(sinks) };
    },
    forward: (w, x, cache, angles, c, window) => {
      const ax = gptOssAxes(c);
      const none = full(Number.NEGATIVE_INFINITY, "f32", ax.kvHead, ax.group);
      return gptOssAttention({ ...w, sinks: none }, x, cache, angles, c, window);
    },
  },
});
