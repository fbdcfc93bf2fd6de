import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import { cpu, parseTarget } from "./index.ts";

describe("targets", () => {
  test("store weights and caches as they compute, unless told otherwise", () => {
    expect(cpu()).toEqual({ platform: "cpu", weights: "f32", compute: "f32", cache: "f32" });
    expect(cpu({ compute: "bf16" })).toEqual({ platform: "cpu", weights: "bf16", compute: "bf16", cache: "bf16" });
    expect(parseTarget("cpu", { weights: "bf16" }).weights).toBe("bf16");
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
