/** GPT-OSS with a mistake: the square root of what may be negative, in the mixture of every layer. */
import { gptOssMoe, gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  moe: { ...gptOssParts.moe, forward: (w, x, ax, c) => gptOssMoe(w, x, ax, c).sqrt() },
});
