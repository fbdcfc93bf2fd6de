/** Looking entries up by number. */
import { elementsOf } from "../axes.ts";
import { axisOf, requireEqualSizes, requireKind } from "../checks.ts";
import { dtypes } from "../dtype.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, mark, tensorOf, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { cut, cutAxis, type Parts, partsOf, startsOf } from "../parts.ts";
import { isWeightView, pickEarly } from "../replay.ts";
import { shapeError } from "../shape-error.ts";
import { type AnyTensor, method } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /**
     * Looks entries up along `over`: `table.take("vocab", tokens)`. Axes shared with `ids` are batched.
     *
     * An id outside the axis reads the nearest entry that exists.
     */
    take<K extends A, I extends string>(over: K, ids: Tensor<I>): Tensor<Exclude<A, K> | I>;
    /**
     * Picks one position and drops the axis. The position may differ along the other axes: one for each batch row, say.
     *
     * A negative number counts from the end; a tensor's position outside the axis reads the nearest one that exists.
     */
    at<K extends A>(along: K, index: number | Within<Exclude<A, K>>): Tensor<Exclude<A, K>>;
  }
  interface AnyTensor {
    take(over: string, ids: AnyTensor): AnyTensor;
    at(along: string, index: number | Within<string>): AnyTensor;
  }
}

/** A table's rows by number may not make a copy this large: that is what `forChosen` is for. */
export const takeLimitBytes = 64 * 2 ** 20;

export const take = defineOp<{ over: string }>({
  name: "take",
  touches: "part",
  mergesAxes: true,
  infer([table, positions], { over }) {
    const [x, ids] = [table as Value, positions as Value];
    axisOf("take", x, over, "table");
    requireKind("take", ids, ["int", "uint"], "ids", [["table", x]]);
    if (ids.axes.some(({ name }) => name === over)) {
      throw shapeError(
        "AXIS_TAKEN",
        `take over '${over}': the ids have that axis too`,
        [
          ["table", x],
          ["ids", ids],
        ],
        `rename it: ids.rename("${over}", …)`,
        { axis: over },
      );
    }
    requireEqualSizes("take", x, ids, ["table", "ids"]);
    const kept = x.axes.filter(({ name }) => name !== over);
    const added = ids.axes.filter(({ name }) => !kept.some((axis) => axis.name === name));
    const axes = [...added, ...kept];
    // Parts lie on as many devices, each of which copies its own.
    const own = axes.filter(({ name }) => cutAxis(name) === undefined);
    requireModest(x, ids, (elementsOf(own) * dtypes[x.dtype].bits) / 8);
    return [{ dtype: x.dtype, axes }];
  },
  lower(e, [table, positions], { over }) {
    const [x, ids] = [table as Ssa, positions as Ssa];
    if (ids.dims.every(({ size }) => size === 1)) {
      // One entry is a window of one, which every back end reads in place.
      const kept = x.dims.filter(({ name }) => name !== over && !ids.dims.some((axis) => axis.name === name));
      return [e.reshape(e.dynamicSlice(x, e.reshape(ids, []), over, 1), [...ids.dims, ...kept])];
    }
    const batch = ids.dims.map(({ name }) => name).filter((name) => x.dims.some((axis) => axis.name === name));
    return [e.gather(x, ids, { along: over, batch })];
  },
  flops: () => 0,
});

export const pick = defineOp<{ along: string; position: number }>({
  name: "at",
  touches: "part",
  infer: ([x], { along }) => [
    { dtype: (x as Value).dtype, axes: (x as Value).axes.filter(({ name }) => name !== along) },
  ],
  lower(e, [input], { along, position }) {
    const x = input as Ssa;
    return [
      e.reshape(
        e.slice(x, along, position, position + 1),
        x.dims.filter(({ name }) => name !== along),
      ),
    ];
  },
  flops: () => 0,
});

// Implementation

method("take", function (over, ids) {
  const parts = partsOf(axisOf("take", this, over, "table"));
  const look = (x: AnyTensor) =>
    parts === undefined ? applyOne(take, [x, ids], { over }) : takeInParts(x, ids, parts);
  if (!isWeightView(this)) return look(this);
  // Of a weight that is unpacked or converted only the rows that are wanted are.
  const rows = pickEarly(this, over, look);
  mark(this, rows);
  return rows;
});

method("at", function (along, index) {
  if (typeof index !== "number") {
    const position = tensorOf(index);
    requirePosition(this, position, along);
    return applyOne(take, [this, position], { over: along });
  }
  const { size } = axisOf("at", this, along);
  const position = index < 0 ? size + index : index;
  if (!Number.isInteger(position) || position < 0 || position >= size) {
    throw shapeError(
      "INDEX_RANGE",
      `at('${along}', ${index}): the axis has positions 0 to ${size - 1}`,
      [["operand", this]],
      undefined,
      { axis: along, index, size },
    );
  }
  return applyOne(pick, [this], { along, position });
});

/** Each part looks up what it has; the others' rows are zeros, and the sum is the row of the one that has it. */
function takeInParts(x: AnyTensor, ids: AnyTensor, parts: Parts): AnyTensor {
  const { part, within } = parts;
  const last = part.size * within.size - 1;
  const spread = ids.cast("i32").max(0).min(last).broadcast(part);
  const local = spread.sub(startsOf(parts));
  const isHere = local.ge(0).and(local.lt(within.size));
  const rows = applyOne(take, [cut(x, parts), local], { over: within.name });
  return rows.where(isHere, 0).sum(part.name);
}

/** Refuses a position that differs by an axis that the operand lacks or loses: picking adds no axes. */
function requirePosition(x: Value, index: Value, along: string): void {
  axisOf("at", x, along);
  for (const { name } of index.axes) {
    if (name !== along && x.axes.some((axis) => axis.name === name)) continue;
    throw shapeError(
      "AXIS_EXTRA",
      `at('${along}'): the position has axis '${name}', which the operand ${name === along ? "loses" : "lacks"}`,
      [
        ["operand", x],
        ["position", index],
      ],
      `x.take("${along}", …) looks many entries up`,
      { axis: name },
    );
  }
}

function requireModest(x: Value, ids: Value, bytes: number): void {
  if (bytes <= takeLimitBytes) return;
  throw shapeError(
    "TAKE_TOO_LARGE",
    `take would copy ${Math.round(bytes / 2 ** 20)} MiB; at most ${takeLimitBytes / 2 ** 20} MiB are copied`,
    [
      ["table", x],
      ["ids", ids],
    ],
    "forChosen(axis, chosen, entries, body) runs a body for the chosen entries and copies none",
    { bytes },
  );
}
