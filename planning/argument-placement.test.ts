import { expect, test } from "@jest/globals";
import { parseTarget, parseWeightForms, placementFor } from "../compiler/index.ts";
import { declareModel, lowerRequested, stepRequest } from "../inference/index.ts";
import { type PlacedArgument, placeArguments, placementTable } from "./argument-placement.ts";

async function placed(mesh: string): Promise<readonly PlacedArgument[]> {
  const target = parseTarget("tpu:v4:2x2x1", { mesh, weights: parseWeightForms("mxfp4,bf16") });
  const model = await declareModel("gpt-oss-20b", target, { worker: undefined });
  const { program } = lowerRequested(model, target, stepRequest({ batch: 4 }), { locations: false });
  return placeArguments(program.signature.arguments, placementFor(target.mesh, model.architecture.roles));
}

test("the table ends with what a mesh leaves whole, once, with its bytes and what would split it", async () => {
  const text = placementTable(await placed("model=4"));
  expect(
    text
      .trimEnd()
      .split("\n")
      .filter((line) => line.startsWith("kept whole")),
  ).toEqual([
    "kept whole: 90 blocks of mlp over model=4; model=2, 3, 5 or 6 would split them (weights.layers.{0…23}.moe.experts.down.blocks and 1 more, 3.38 GB)",
  ]);
});

test("blocks that divide are split, and halve what a device holds", async () => {
  const rows = await placed("expert=2,model=2");
  const down = (all: readonly PlacedArgument[]) => all.find(({ name }) => name.endsWith("down.blocks"));
  expect(down(rows)).toMatchObject({
    axes: ["expert 32", "embed 2880", "mlpBlock 90", "byte 16"],
    split: [["expert"], [], ["model"], []],
    kept_whole: [],
  });
  const whole = down(await placed("expert=4"));
  // A half of the experts and of the blocks is as much as a quarter of the experts.
  expect(down(rows)?.bytes_per_device).toBe(whole?.bytes_per_device);
  expect(placementTable(rows)).not.toMatch(/kept whole/);
});
