/** How a file's dimensions are split for the program that loads a weight. */
import { expect, test } from "@jest/globals";
import { type Placement, parseMesh, placementFor } from "../../compiler/index.ts";
import { axis, param, type Storage } from "../../dsl/index.ts";
import type { Feed } from "../../models/checkpoints/checkpoint.ts";
import { loadPlacement } from "./load-placement.ts";

const roles = { kvHead: "heads", mlp: "width", vocab: "vocabulary", expert: "experts" } as const;
const placement = placementFor(parseMesh("expert=2,model=2"), roles) as Placement;

const tensor = (shape: readonly number[], format = "BF16", stored = shape) => ({
  name: "t",
  shape,
  format,
  type: { dtype: format === "BF16" ? ("bf16" as const) : ("u8" as const), shape: stored },
  bytes: 0,
  file: "",
});

/** Over what the dimensions of the file are split that are. */
function splits(feed: Pick<Feed, "param" | "source" | "tensors">, storage: Storage = "f32") {
  const { over } = loadPlacement({ path: "w", ...feed }, storage, placement);
  return Object.fromEntries(Object.entries(over).filter(([name]) => /^d\d/.test(name)));
}

const [kvHead, group, dim, embed] = [axis("kvHead", 4), axis("group", 2), axis("dim", 8), axis("embed", 64)];
const [expert, mlp, half] = [axis("expert", 8), axis("mlp", 32), axis("part", 2)];
const plain = { kind: "tensor", key: "t" } as const;

test("a flat dimension is split as the outermost axis in it", () => {
  const q = param("q", kvHead, group, dim, embed);
  expect(splits({ param: q, source: plain, tensors: [tensor([64, 64])] })).toEqual({ d0: ["expert", "model"] });
});

test("an axis of one position stands aside for the next", () => {
  const q = param("q", axis("one", 1), kvHead, dim, embed);
  expect(splits({ param: q, source: plain, tensors: [tensor([32, 64])] })).toEqual({ d0: ["expert", "model"] });
});

test("an inner dimension is split too, and no axis of the mesh twice", () => {
  const up = param("up", expert, mlp, embed);
  expect(splits({ param: up, source: plain, tensors: [tensor([8, 32, 64])] })).toEqual({
    d0: ["expert"],
    d1: ["model"],
  });
});

test("what does not divide evenly is read whole, and so is what has no role", () => {
  const odd = param("odd", axis("kvHead", 3), embed);
  expect(splits({ param: odd, source: plain, tensors: [tensor([3, 64])] })).toEqual({});
});

test("the file's order of axes counts, not the declared one", () => {
  const down = param("down", embed, mlp);
  const turned = { ...plain, order: ["mlp", "embed"] };
  expect(splits({ param: down, source: turned, tensors: [tensor([32, 64])] })).toEqual({ d0: ["expert", "model"] });
});

test("rows that alternate are split where what alternates lies inside", () => {
  const inside = param("a", mlp, half, embed);
  const interleaved = { ...plain, interleaved: "part" };
  expect(splits({ param: inside, source: interleaved, tensors: [tensor([64, 64])] })).toEqual({
    d0: ["expert", "model"],
  });
  const along = param("b", mlp, embed);
  const scattered = { ...plain, interleaved: "mlp" };
  expect(splits({ param: along, source: scattered, tensors: [tensor([32, 64])] })).toEqual({});
});

test("rows of a tensor that several weights share are read whole, its other dimensions in part", () => {
  const own = param("k", dim, kvHead);
  const fused = { ...plain, rows: { start: 8, count: 8 } };
  expect(splits({ param: own, source: fused, tensors: [tensor([24, 4])] })).toEqual({ d1: ["expert", "model"] });
});

test("blocks and scales of MXFP4 are split alike", () => {
  const up = param("up", expert, mlp, embed);
  const tensors = [tensor([8, 32, 2, 16], "U8"), tensor([8, 32, 2], "U8")];
  const source = { kind: "mxfp4", blocks: "b", scales: "s" } as const;
  expect(splits({ param: up, source, tensors }, "mxfp4")).toEqual({ d0: ["expert"], d1: ["model"] });
});

test("of raw blocks the rows are split, and the blocks of a row are not", () => {
  const up = param("up", mlp, embed);
  const packed = tensor([32, 64], "Q8_0", [32, 2, 34]);
  expect(splits({ param: up, source: plain, tensors: [packed] })).toEqual({ d0: ["expert", "model"] });
  const down = param("down", embed, axis("mlp", 64));
  expect(splits({ param: down, source: plain, tensors: [tensor([64, 64], "Q8_0", [64, 2, 34])] })).toEqual({});
});

test("the parts of a stack are split as their own axes", () => {
  const pair = param("pair", half, mlp, embed);
  const source = { kind: "stack", along: "part", of: [plain, plain] } as const;
  const tensors = [tensor([32, 64]), tensor([32, 64])];
  expect(splits({ param: pair, source, tensors })).toEqual({ d0: ["expert", "model"] });
});
