import { describe, expect, test } from "@jest/globals";
import { axes, axis } from "../dsl/index.ts";
import { refusalOf } from "../tests/support/refusal.ts";
import { keptWhole, keptWholeText, type Mesh, placementFor, requireSplits, splitsOf } from "./index.ts";

const ax = axes({ batch: 2, kvHead: 2, group: 4, embed: 8, expert: 6, mlp: 12, vocab: 32 });
const roles = {
  batch: "rows",
  kvHead: "heads",
  group: "heads",
  mlp: "width",
  vocab: "vocabulary",
  expert: "experts",
} as const;
const meshOf = (given: Partial<Mesh>): Mesh => ({ data: 1, expert: 1, model: 1, ...given });
const placed = (given: Partial<Mesh>) => placementFor(meshOf(given), roles)!;
const said = (given: Partial<Mesh>, dims: Parameters<typeof keptWhole>[1]) =>
  keptWhole(placed(given), dims).map((each) => keptWholeText(each, meshOf(given)));

describe("what does not divide", () => {
  test("moves the split to the next axis of its role", () => {
    expect(splitsOf(placed({ model: 4 }), [ax.kvHead, ax.group, ax.embed])).toEqual([[], ["model"], []]);
    expect(splitsOf(placed({ expert: 2, model: 4 }), [ax.kvHead, ax.group])).toEqual([["expert"], ["model"]]);
    expect(said({ model: 4 }, [ax.kvHead, ax.group, ax.embed])).toEqual([]);
  });

  test("is kept whole where there is none, and said with the sizes that would split it", () => {
    expect(said({ model: 4 }, [ax.kvHead, ax.embed])).toEqual(["kvHead 2 over model=4; model=2 would split it"]);
    expect(said({ expert: 4, model: 3 }, [ax.expert, ax.embed])).toEqual([
      "expert 6 over expert=4; expert=2, 3 or 6 would split it",
    ]);
    expect(said({ model: 2 }, [axis("kvHead", 1)])).toEqual(["kvHead 1 over model=2; no other size would split it"]);
  });

  test("is nothing where no axis has a role", () => {
    expect(said({ data: 2, model: 4 }, [ax.embed])).toEqual([]);
  });
});

describe("blocks of a packed axis", () => {
  test("are split as the axis is, where their number divides", () => {
    const blocks = axis("mlpBlock", 90);
    expect(splitsOf(placed({ model: 2 }), [ax.embed, blocks])).toEqual([[], ["model"]]);
    expect(splitsOf(placed({ model: 4 }), [ax.embed, blocks])).toEqual([[], []]);
    expect(said({ model: 4 }, [ax.embed, blocks])).toEqual([
      "90 blocks of mlp over model=4; model=2, 3, 5 or 6 would split them",
    ]);
  });

  test("of an axis without a role are none to split", () => {
    expect(splitsOf(placed({ model: 2 }), [axis("embedBlock", 90)])).toEqual([[]]);
    expect(said({ model: 4 }, [axis("embedBlock", 90)])).toEqual([]);
  });
});

describe("a mesh that was asked for", () => {
  const all = Object.values(ax);
  const refused = (given: Partial<Mesh>, dims = all) => refusalOf(() => requireSplits(meshOf(given), roles, dims));

  test.each([{}, { data: 2 }, { model: 4 }, { expert: 2, model: 2 }, { data: 2, expert: 3 }])(
    "is taken where something of every role that has an axis is split: %j",
    (given) => {
      expect(() => requireSplits(meshOf(given), roles, all)).not.toThrow();
    },
  );

  test("is refused with those that suit, where nothing of a role can be split", () => {
    expect(refused({ expert: 4 })).toMatchInlineSnapshot(`
InputError MESH
mesh 'data=1,expert=4,model=1' splits none of the experts over expert=4: the model has expert 6
  these split more: data=1,expert=1,model=4  data=1,expert=2,model=2  data=2,expert=1,model=2  data=2,expert=2,model=1
`);
    expect(refused({ model: 8 })).toMatchInlineSnapshot(`
InputError MESH
mesh 'data=1,expert=1,model=8' splits none of the heads over model=8: the model has kvHead 2, group 4
  these split more: data=1,expert=2,model=4  data=2,expert=1,model=4  data=2,expert=2,model=2
`);
  });

  test("is refused where devices along an axis would all do the same", () => {
    expect(refused({ data: 4 })).toMatchInlineSnapshot(`
InputError MESH
mesh 'data=4,expert=1,model=1' splits none of the rows over data=4: the model has batch 2
  these split more: data=1,expert=1,model=4  data=1,expert=2,model=2  data=2,expert=1,model=2  data=2,expert=2,model=1
`);
    expect(refused({ model: 7 })).toMatchInlineSnapshot(`
InputError MESH
mesh 'data=1,expert=1,model=7' splits none of the heads over model=7: the model has kvHead 2, group 4
  no mesh of 7 devices splits something over each of its axes; take another number of devices
`);
  });

  test("is taken where every other one keeps as much whole", () => {
    const dense = [axis("kvHead", 3), axis("group", 3), axis("mlp", 12), axis("vocab", 32), axis("batch", 1)];
    const { expert: _, ...none } = roles;
    expect(() => requireSplits(meshOf({ model: 4 }), none, dense)).not.toThrow();
    expect(() => requireSplits(meshOf({ expert: 2, model: 2 }), none, dense)).not.toThrow();
    expect(() => requireSplits(meshOf({ data: 2, model: 2 }), none, dense)).toThrow(
      /splits none of the rows over data=2/,
    );
  });

  test("is not held to sizes that are not known", () => {
    expect(() => requireSplits(meshOf({ data: 4 }), roles, [ax.mlp, ax.kvHead])).not.toThrow();
  });
});
