import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { collectives, layerOf, readHlo } from "./index.ts";

const sharded = readFileSync(new URL("fixtures/sharded.hlo", import.meta.url), "utf8");

test("a collective in a loop stands once in the text and runs with every trip", () => {
  // One all-reduce of bf16[8,8192] in a scan over 60 layers.
  const bytes = 8 * 8192 * 2;
  expect(collectives(readHlo(sharded)).total).toEqual([{ kind: "all-reduce", count: 1, runs: 60, bytes: 60 * bytes }]);
  expect(collectives(readHlo(sharded), { trips: 3, tripsFromConditions: false }).total).toEqual([
    { kind: "all-reduce", count: 1, runs: 3, bytes: 3 * bytes },
  ]);
});

const asynchronous = `HloModule m

%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %c = f32[] add(%a, %b)
}

%scatter (p: f32[8]) -> f32[2] {
  %p = f32[8]{0} parameter(0)
  ROOT %s = f32[2]{0} reduce-scatter(%p), dimensions={0}, to_apply=%add
}

ENTRY %main (x: f32[2]) -> f32[8] {
  %x = f32[2]{0} parameter(0)
  %gs = (f32[2]{0}, f32[8]{0}) all-gather-start(%x), dimensions={0}, metadata={op_name="jit(f)/layers.1/attn.dot"}
  %g = f32[8]{0} all-gather-done(%gs)
  %ss = ((f32[8]{0}), f32[2]{0}, s32[]) async-start(%g), calls=%scatter, metadata={op_name="jit(f)/layers.1/mlp.dot.3"}
  %s = f32[2]{0} async-done(%ss)
  %ps = (f32[2]{0}, f32[2]{0}, u32[], u32[]) collective-permute-start(%s), source_target_pairs={{0,1}}
  %p = f32[2]{0} collective-permute-done(%ps)
  ROOT %r = f32[8]{0} all-gather(%p), dimensions={0}, metadata={op_name="jit(f)/unembed.dot"}
}
`;

test("one that runs asynchronously counts once, by what is given or got", () => {
  const { total, byLayer } = collectives(readHlo(asynchronous));
  expect(total).toEqual([
    { kind: "all-gather", count: 2, runs: 2, bytes: 64 },
    { kind: "reduce-scatter", count: 1, runs: 1, bytes: 32 },
    { kind: "collective-permute", count: 1, runs: 1, bytes: 8 },
  ]);
  expect([...byLayer]).toEqual([
    [
      "layers.1",
      [
        { kind: "all-gather", count: 1, runs: 1, bytes: 32 },
        { kind: "reduce-scatter", count: 1, runs: 1, bytes: 32 },
      ],
    ],
    [
      "",
      [
        { kind: "all-gather", count: 1, runs: 1, bytes: 32 },
        { kind: "collective-permute", count: 1, runs: 1, bytes: 8 },
      ],
    ],
  ]);
});

test("a layer is a numbered part of the path, but not its last, which names the operation", () => {
  expect(layerOf("jit(call)/call_exported/layers.12/attn.dot")).toBe("layers.12");
  expect(layerOf("jit(call)/call_exported/reshape.263")).toBeUndefined();
  expect(layerOf("jit(call)/decoder.blocks.3/while/body/dot")).toBe("decoder.blocks.3");
  expect(layerOf(undefined)).toBeUndefined();
});
