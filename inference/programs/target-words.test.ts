import { expect, test } from "@jest/globals";
import { cpu } from "../../compiler/index.ts";
import { targetOf } from "./target-words.ts";

test("words and values name the same targets", () => {
  expect(targetOf({})).toEqual(cpu());
  expect(targetOf({ target: "cpu", weights: "mxfp4,bf16", computeDtype: "bf16" })).toEqual(
    cpu({ compute: "bf16", weights: { experts: "mxfp4", dense: "bf16" } }),
  );
  expect(targetOf({ weights: { experts: "f32", dense: "f32" } })).toEqual(targetOf({ weights: "f32" }));
  expect(targetOf({ target: "cpu:4", mesh: "expert=2,model=2" }).mesh).toMatchObject({ data: 1, expert: 2, model: 2 });
  const value = cpu({ compute: "bf16" });
  expect(targetOf({ target: value })).toBe(value);
});

test("words that are not known, and two words for one thing, are refused", () => {
  expect(() => targetOf({ target: "abacus" })).toThrow("abacus");
  expect(() => targetOf({ weights: "q9_0" })).toThrow("weights 'q9_0' are not known");
  expect(() => targetOf({ computeDtype: "f8" })).toThrow("and not in f8");
  expect(() => targetOf({ target: cpu(), weights: "f32" })).toThrow(
    "weights stands beside a target that says it already",
  );
  expect(() => targetOf({ target: cpu(), computeDtype: "f32" })).toThrow("computeDtype stands beside a target");
  expect(() => targetOf({ target: cpu(), mesh: "model=1" })).toThrow("mesh stands beside a target");
});
