import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import { cpu, parseTarget, parseWeightForms } from "./index.ts";

describe("targets", () => {
  test("hold caches as they compute, and leave weights to the architecture, unless told otherwise", () => {
    expect(cpu()).toEqual({ platform: "cpu", weights: undefined, compute: "f32", cache: "f32" });
    expect(cpu({ compute: "bf16" })).toEqual({ platform: "cpu", weights: undefined, compute: "bf16", cache: "bf16" });
    const weights = parseWeightForms("mxfp4,q8_0");
    expect(parseTarget("cpu", { weights }).weights).toEqual({ experts: "mxfp4", dense: "q8_0" });
  });

  test("hold other matrices as experts, but as bf16 beside mxfp4", () => {
    expect(parseWeightForms("int8")).toEqual({ experts: "int8", dense: "int8" });
    expect(parseWeightForms("mxfp4")).toEqual({ experts: "mxfp4", dense: "bf16" });
  });

  test.each(["", "q5", "bf16,mxfp4", "f32,f32,f32"])("refuse weights '%s'", (text) => {
    expect(() => parseWeightForms(text)).toThrow(/EXPERTS\[,DENSE\], each of mxfp4, q8_0, int8, bf16, f16, f32/);
  });

  test("refuse what this version does not know", () => {
    expect(refusalOf(() => parseTarget("gpu"))).toMatchInlineSnapshot(`
      InputError TARGET
      target 'gpu' is not known; this version compiles for cpu
    `);
    expect(refusalOf(() => cpu({ compute: "f16" }))).toMatchInlineSnapshot(`
      InputError COMPUTE_TYPE
      a model computes in f32 or bf16, and not in f16
    `);
  });
});
