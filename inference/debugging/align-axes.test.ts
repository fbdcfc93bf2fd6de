import { describe, expect, test } from "@jest/globals";
import { type AxesOf, align } from "./align-axes.ts";

/** Our elements, numbered as they lie, in the other's order. */
function order(ours: AxesOf, other: AxesOf): readonly number[] | string {
  const found = align(ours, other);
  if ("reason" in found) return found.reason;
  const count = other.shape.reduce((all, size) => all * size, 1);
  return Array.from({ length: count }, (_, n) => found.places(n));
}

describe("axes of two traces", () => {
  test("with the same names are brought into the other's order", () => {
    const ours = { axes: ["pos", "embed"], shape: [2, 3] };
    expect(order(ours, { axes: ["embed", "pos"], shape: [3, 2] })).toEqual([0, 3, 1, 4, 2, 5]);
    // Sizes cannot tell here, names can.
    expect(order({ axes: ["a", "b"], shape: [2, 2] }, { axes: ["b", "a"], shape: [2, 2] })).toEqual([0, 2, 1, 3]);
  });

  test("without names are told by size, and stand as they do where that leaves a choice", () => {
    const ours = { axes: ["pos", "embed"], shape: [2, 3] };
    expect(order(ours, { axes: undefined, shape: [3, 2] })).toEqual([0, 3, 1, 4, 2, 5]);
    expect(order({ axes: ["a", "b"], shape: [2, 2] }, { axes: undefined, shape: [2, 2] })).toEqual([0, 1, 2, 3]);
  });

  test("may be split here and flat there, with a batch of one between", () => {
    const ours = { axes: ["pos", "kvHead", "group", "dim"], shape: [2, 1, 2, 3] };
    expect(order(ours, { axes: undefined, shape: [1, 2, 6] })).toEqual([...Array(12).keys()]);
    expect(order(ours, { axes: ["embed", "pos"], shape: [6, 2] })).toEqual([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
  });

  test("of other sizes are refused with both sides", () => {
    expect(order({ axes: ["pos", "embed"], shape: [2, 3] }, { axes: undefined, shape: [2, 4] })).toBe(
      "[pos 2, embed 3] here and [2, 4] there",
    );
    expect(order({ axes: ["a", "b"], shape: [2, 3] }, { axes: ["a", "b"], shape: [3, 2] })).toBe(
      "[a 2, b 3] here and [a 3, b 2] there",
    );
  });
});
