import { describe, expect, test } from "@jest/globals";
import {
  axes,
  axis,
  choose,
  constant,
  full,
  type Graph,
  type Inputs,
  iota,
  layer,
  part,
  scan,
  type Tensor,
  trace,
  whileLoop,
} from "../dsl/index.ts";
import { checkText } from "../tests/support/check-program.ts";

const ax = axes({ row: 2, column: 3 });
type Any = Tensor<"row" | "column">;

/** Repeatable choices. */
function chooser(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return (state >>> 9) % below;
  };
}

/**
 * A program put together at random of what makes MLIR's printer think: nested regions of every kind, functions that
 * call functions, constants and arguments whose suggested names repeat, operations of several results.
 */
function randomProgram(seed: number): Graph {
  const pick = chooser(seed);
  const expression = (values: readonly Any[], depth: number): Any => {
    const any = () => values[pick(values.length)] as Any;
    const deeper = (more: readonly Any[] = []) => expression([...values, ...more], depth - 1);
    const simple: readonly (() => Any)[] = [
      () => any().add(any()),
      () => any().mul(0.5).sub(pick(3)),
      () => any().mul(constant([1, 2, 3], "f32", ax.column)),
      () => any().add(iota(ax.row).cast("f32")),
      () => any().where(any().lt(0), pick(2)),
      () => any().sort("column").values,
      () => any().cumSum("row"),
      () => any().sub(any().sum("column")),
      () => any().softmax("column"),
      () =>
        any()
          .dot(any().rename("row", "other" as never) as never, "column")
          .sum("other" as never)
          .broadcast(ax.column as never) as Any,
    ];
    if (depth === 0) return (simple[pick(simple.length)] as () => Any)();
    const nested: readonly (() => Any)[] = [
      () => deeper().add(deeper()),
      () => layer(`f${pick(2)}.${pick(3)}`, () => part("inner", () => deeper())),
      () => {
        const held: Any[] = [];
        const out = layer("g", () => {
          held.push(deeper());
          return deeper(held);
        });
        return out.sub(held[0] as Any);
      },
      () => {
        const end = whileLoop(
          { n: full(0, "i32"), x: any() },
          ({ n }) => n.lt(1 + pick(3)),
          ({ n, x }) => ({
            n: n.add(1),
            x: deeper([x]),
          }),
        );
        return pick(2) === 0 ? end.x : end.x.add(end.n.cast("f32"));
      },
      () =>
        choose(
          any().sum("row", "column").cast("i32"),
          () => deeper(),
          () => any(),
          () => deeper(),
        ),
      () =>
        choose(
          full(pick(3), "i32"),
          () => [deeper(), any()],
          () => [any(), deeper()],
        )[pick(2)] as Any,
      () =>
        scan(ax.row, { sum: full(0, "f32", ax.column) }, { x: any() }, ({ sum }, { x }) => ({
          state: { sum: sum.add(x) },
          output: choose(
            full(pick(2), "i32"),
            () => x.mul(sum),
            () => x,
          ),
        })).outputs as Any,
    ];
    return (nested[pick(nested.length)] as () => Any)();
  };
  return trace(`random_${seed}`, ({ input, state }: Inputs) => {
    const x = input("x", "f32", ax.row, ax.column);
    const s = state("s", "f32", ax.row, ax.column);
    const y = expression([x, s], 2 + pick(2));
    return { y, s: expression([s, y], 2), n: input("n", "i32", axis("n", 1)) };
  });
}

describe("programs put together at random", () => {
  test.each(Array.from({ length: 4 }, (_, n) => n))("print as MLIR prints them, group %d", async (group) => {
    for (let seed = group * 5; seed < group * 5 + 5; seed++) await checkText(randomProgram(seed));
    expect.assertions(25);
  });
});
