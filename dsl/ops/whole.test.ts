import { describe, expect, test } from "@jest/globals";
import { lower, parseMesh, placementFor } from "../../compiler/index.ts";
import { checkProgram, checkText } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, type Inputs, trace } from "../index.ts";
import { whole } from "./whole.ts";

const ax = axes({ batch: 2, expert: 4 });
const body = ({ input }: Inputs) => whole(input("x", "f32", ax.batch, ax.expert), "expert");

describe("whole", () => {
  test("is nothing on one device", async () => {
    const x = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ];
    const { text } = await checkProgram(body, { inputs: { x }, expected: x });
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<2x4xf32>) -> tensor<2x4xf32> {
  return %arg0 : tensor<2x4xf32>
}
`);
  });

  test("leaves to the partitioner how the other axes are split on a mesh", async () => {
    const graph = trace("main", body);
    const placement = placementFor(parseMesh("expert=2"), { expert: "experts" });
    const text = await checkText(graph, { placement });
    expect(text).toMatch(/sdy\.sharding_constraint %arg0 <@mesh, \[\{\?\}, \{\}\]> : tensor<2x4xf32>/);
    expect(lower(graph, { placement, locations: false }).text).toBe(text);
  });

  test("refuses an axis that the tensor lacks", () => {
    expect(refusal(({ input }) => whole(input("x", "f32", ax.batch), "expert" as "batch"))).toMatchInlineSnapshot(`
ShapeError AXIS_MISSING
whole over 'expert': the operand has no such axis
  operand  x  f32 [batch 2]  whole.test.ts:+0
`);
  });
});
