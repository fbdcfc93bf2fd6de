/**
 * The product that contracts axes by name.
 *
 * Batching and order need no arguments: axes that both operands have and that are not contracted are batched, the rest
 * are kept. A weight stands on the left in the text whichever side it has in the program, since XLA reads a matrix at
 * memory speed on CPU only as the left operand, contracted over its last dimension (docs/log.md).
 */
import { requireAxes, requireKind, sizeHint } from "../checks.ts";
import { dtypes } from "../dtype.ts";
import type { Emitter, Ssa } from "../emitter.ts";
import { apply, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { partsOf } from "../parts.ts";
import { shapeError } from "../shape-error.ts";
import { method, type Shared, type Tensor } from "../tensor.ts";
import { cast } from "./cast.ts";
import { elementwise } from "./elementwise.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /**
     * Contracts `over`. Other shared axes are batched, the rest are kept; their order never matters.
     *
     * The result has the left operand's element type; the right one is converted to it. Sums are kept in f32.
     */
    dot<B extends string, const K extends readonly Shared<A, B>[]>(
      y: Tensor<B>,
      ...over: K
    ): Tensor<Exclude<A | B, K[number]>>;
  }
}

export const dot = defineOp<{ over: readonly string[]; spread?: true }>({
  name: "dot",
  mergesAxes: true,
  infer([left, right], { over }) {
    const [x, y] = [left as Value, right as Value];
    requireKind("dot", x, ["float", "int", "uint"], "left");
    requireKind("dot", y, [dtypes[x.dtype].kind], "right", [["left", x]]);
    for (const name of over) {
      const lacking = [x, y].findIndex((side) => !side.axes.some((axis) => axis.name === name));
      if (lacking < 0) continue;
      throw shapeError(
        "AXIS_MISSING",
        `dot over '${name}': the ${lacking === 0 ? "left" : "right"} operand has no such axis`,
        [
          ["left", x],
          ["right", y],
        ],
        undefined,
        { axis: name },
      );
    }
    requireAxes("dot", x, over);
    for (const { name, size } of y.axes) {
      const own = x.axes.find((axis) => axis.name === name)?.size;
      if (own === undefined || own === size) continue;
      const role = over.includes(name) ? `dot over '${name}'` : `dot batched over '${name}'`;
      throw shapeError(
        "SIZE_MISMATCH",
        `${role}: ${own} on the left, ${size} on the right`,
        [
          ["left", x],
          ["right", y],
        ],
        sizeHint(name, own, size),
        {
          axis: name,
          left: own,
          right: size,
        },
      );
    }
    const kept = x.axes.filter(({ name }) => !over.includes(name));
    const added = y.axes.filter(({ name }) => !x.axes.some((axis) => axis.name === name));
    return [{ dtype: x.dtype, axes: [...kept, ...added] }];
  },
  lower(e, [left, right], { over, spread = false }) {
    const x = left as Ssa;
    const y = e.convert(right as Ssa, x.dtype);
    // Batched axes stand as in the larger operand, such as a cache, which then need not be brought into another order.
    const [larger, smaller] = elements(y) > elements(x) ? [y, x] : [x, y];
    const batch = larger.dims
      .map(({ name }) => name)
      .filter((name) => !over.includes(name) && smaller.dims.some((axis) => axis.name === name));
    if (e.platform === "tpu" && isOneRow(smaller, [...batch, ...over]) && elements(larger) >= largeMatrix) {
      return [dotOfEightRows(e, larger, smaller, batch, over, spread)];
    }
    const [first, second] = y.weight && !x.weight ? [y, x] : [x, y];
    return [e.dotGeneral(first, second, batch, over, { spread })];
  },
  flops([left, right], { over }) {
    const sizes = new Map([...(left as Value).axes, ...(right as Value).axes].map(({ name, size }) => [name, size]));
    // One multiplication and one addition for each pair that meets.
    return [...sizes.values()].reduce((all, size) => all * size, over.length === 0 ? 1 : 2);
  },
});

// Implementation

method("dot", function (this: Tensor<string>, y: Tensor<string>, ...over: string[]) {
  const [left, right] = [splitFactor(this, over), splitFactor(y, over)];
  const isSpread = this.axes.some((axis) => over.includes(axis.name) && partsOf(axis) !== undefined);
  const product = apply(
    dot,
    [left.rest, right.rest],
    isSpread ? { over, spread: true } : { over },
  )[0] as Tensor<string>;
  const factors = [left.factor, right.factor].filter((each) => each !== undefined);
  return factors.reduce((all, factor) => all.mul(factor.cast(all.dtype) as never) as Tensor<string>, product);
});

/**
 * A narrow matrix that is multiplied row by row, such as one of eight-bit numbers with a scale for each row, and the
 * scale: it is the same for all that is summed, so it is applied to the sum, where there is less to multiply.
 */
function splitFactor(x: Tensor<string>, over: readonly string[]): { rest: Tensor<string>; factor?: Tensor<string> } {
  const { origin } = x;
  if (origin.kind !== "result" || origin.node.op !== elementwise.mul) return { rest: x };
  const [rest, factor] = origin.node.inputs as readonly Tensor<string>[];
  const from = rest?.origin;
  const isNarrow =
    from?.kind === "result" && from.node.op === cast && dtypes[(from.node.inputs[0] as Tensor<string>).dtype].bits <= 8;
  if (!isNarrow || factor === undefined || over.some((name) => factor.names.includes(name))) return { rest: x };
  return { rest: rest as Tensor<string>, factor };
}

/** Elements from which a matrix takes longer to multiply than a row takes to pad. */
const largeMatrix = 2 ** 16;
/** Rows of a TPU's tile. */
const tileRows = 8;

function isOneRow({ dims }: Ssa, used: readonly string[]): boolean {
  return dims.every(({ name, size }) => size === 1 || used.includes(name));
}

/** A TPU multiplies eight rows in a third of the time that it takes for one (docs/log.md); seven of them are zeros. */
function dotOfEightRows(
  e: Emitter,
  matrix: Ssa,
  row: Ssa,
  batch: readonly string[],
  over: readonly string[],
  spread: boolean,
): Ssa {
  const rows = (size: number) => ({ name: "row", size });
  const one = e.reshape(row, [rows(1), ...row.dims]);
  const padded = e.pad(one, e.constant(0, row.dtype), "row", 0, tileRows - 1);
  // Without the barrier the zeros are seen, and left out again.
  const [kept] = e.barrier([padded]) as [Ssa];
  const product = e.slice(e.dotGeneral(kept, matrix, batch, over, { spread }), "row", 0, 1);
  return e.reshape(
    product,
    product.dims.filter(({ name }) => name !== "row"),
  );
}

/** How many elements a value has. */
function elements({ dims }: Ssa): number {
  return dims.reduce((product, { size }) => product * size, 1);
}
