/** Llama with a squared ReLU in place of SiLU (arXiv:2109.08668). */
import { llamaMlp, llamaOf, llamaParts } from "tsxla/models";

export default llamaOf({
  ...llamaParts,
  mlp: {
    ...llamaParts.mlp,
    forward: (w, x, c) => llamaMlp(w, x, c, { activation: (gate) => gate.max(0).mul(gate.max(0)) }),
  },
});
