/** GPT-OSS with another window pattern: three layers that look back 64 positions for each that sees all of them. */
import { gptOssOf, gptOssParts } from "tsxla/models";

export default gptOssOf({
  ...gptOssParts,
  config: (c) => ({ ...c, windows: c.windows.map((_, n) => (n % 4 === 3 ? undefined : 64)) }),
});
