/** GPT-OSS with a mistake: layers that see everything see four positions. */
import { gptOssAttention, gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  attention: {
    ...gptOssParts.attention,
    forward: (w, x, cache, angles, c, window) => gptOssAttention(w, x, cache, angles, c, window ?? 4),
  },
});
