import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import { cpu, parseTarget, parseWeightForms, virtualDevices } from "./index.ts";

describe("targets", () => {
  test("hold caches as they compute, and leave weights to the architecture, unless told otherwise", () => {
    expect(cpu()).toMatchObject({ platform: "cpu", weights: undefined, compute: "f32", cache: "f32" });
    expect(cpu({ compute: "bf16" })).toMatchObject({ platform: "cpu", compute: "bf16", cache: "bf16" });
    const weights = parseWeightForms("mxfp4,q8_0");
    expect(parseTarget("cpu", { weights }).weights).toEqual({ experts: "mxfp4", dense: "q8_0" });
  });

  test("hold other matrices as experts, but as bf16 beside mxfp4", () => {
    expect(parseWeightForms("int8")).toEqual({ experts: "int8", dense: "int8" });
    expect(parseWeightForms("mxfp4")).toEqual({ experts: "mxfp4", dense: "bf16" });
    expect(parseWeightForms("e5m2")).toEqual({ experts: "e5m2", dense: "bf16" });
  });

  test.each(["", "q5", "bf16,mxfp4", "f32,e5m2", "f32,f32,f32"])("refuse weights '%s'", (text) => {
    expect(() => parseWeightForms(text)).toThrow(/EXPERTS\[,DENSE\], each of mxfp4, e5m2, q8_0, int8, bf16, f16, f32/);
  });

  test("have a mesh of all their devices, along model unless told otherwise", () => {
    expect(parseTarget("cpu:4").mesh).toEqual({ data: 1, expert: 1, model: 4 });
    expect(parseTarget("cpu:4", { mesh: "expert=2,data=2" }).mesh).toEqual({ data: 2, expert: 2, model: 1 });
    expect(parseTarget("tpu", { mesh: "model=8" }).mesh).toEqual({ data: 1, expert: 1, model: 8 });
    expect(virtualDevices(parseTarget("cpu:4"))).toBe(4);
  });

  test("compute in bf16 where devices are made for it", () => {
    expect(parseTarget("tpu:v3:2x2")).toMatchObject({ platform: "tpu", compute: "bf16", mesh: { model: 8 } });
    expect(parseTarget("cuda:h100:4", { compute: "f32" })).toMatchObject({ platform: "cuda", compute: "f32" });
  });

  test("refuse what this version does not know", () => {
    expect(refusalOf(() => parseTarget("gpu"))).toMatchInlineSnapshot(`
InputError TARGET
target 'gpu' is not known; known are cpu, cpu:N, tpu, cuda, tpu:CHIP:SHAPE with v3, v4, v5e, v5p, v6e, and cuda:CHIP:N with h100, a100
`);
    expect(refusalOf(() => cpu({ compute: "f16" }))).toMatchInlineSnapshot(`
      InputError COMPUTE_TYPE
      a model computes in f32 or bf16, and not in f16
    `);
  });
});
