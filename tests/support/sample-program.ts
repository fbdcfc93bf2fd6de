/**
 * A program with some of everything, for tests of determinism. Run by itself, it prints its text:
 *
 *     node --import ./bin/typescript-loader.mjs tests/support/sample-program.ts
 */
import { lower } from "../../compiler/index.ts";
import {
  axes,
  choose,
  full,
  type Graph,
  layer,
  param,
  part,
  rmsNorm,
  scan,
  trace,
  whileLoop,
} from "../../dsl/index.ts";

const ax = axes({ batch: 2, embed: 4, mlp: 3, layer: 2 });

export function sampleProgram(): Graph {
  return trace("sample", ({ input, state, weights }) => {
    const w = weights(
      "w",
      [0, 1].map((n) => ({ norm: param(`${n}.norm`, ax.embed), up: param(`${n}.up`, ax.mlp, ax.embed) })),
      "bf16",
      "f32",
    );
    let x = input("x", "f32", ax.batch, ax.embed);
    for (const [n, each] of w.entries()) {
      x = layer(`layers.${n}`, () => {
        const h = part("mlp", () => rmsNorm(x, each.norm, 1e-5).dot(each.up, "embed"));
        return x.add(h.sigmoid().dot(each.up, "mlp"));
      });
    }
    const { n } = whileLoop(
      { n: full(0, "i32"), x },
      (at) => at.n.lt(3),
      (at) => ({ n: at.n.add(1), x: at.x.mul(0.1) }),
    );
    const picked = choose(
      n,
      () => x.neg(),
      () => x.softmax("embed"),
    );
    const { outputs } = scan(ax.batch, {}, { row: picked }, (none, { row }) => ({
      state: none,
      output: row.cumSum("embed"),
    }));
    return { outputs, ids: x.topK("embed", { name: "choice", size: 2 }).ids, count: state("count", "i32").add(1) };
  });
}

if (
  process.argv[1] !== undefined &&
  import.meta.url.endsWith("/sample-program.ts") &&
  process.argv[1].endsWith("sample-program.ts")
) {
  process.stdout.write(lower(sampleProgram()).text);
}
