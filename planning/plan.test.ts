import { describe, expect, test } from "@jest/globals";
import { Progress } from "../cli/progress.ts";
import { parseTarget } from "../compiler/index.ts";
import { declareModel, stepRequest } from "../inference/index.ts";
import { type Plan, plan, planTable } from "./plan.ts";

/** A compiler that refuses every program. */
const compile = () => Promise.reject(new Error("XLA did not compile the module\nfor one reason or another"));
const silent = new Progress({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);

async function plans(model: string, spec: string, batch: number, compiled = 0): Promise<readonly Plan[]> {
  const target = parseTarget(spec);
  const request = stepRequest({ batch, length: 256 });
  const { signal } = new AbortController();
  const declare = (own: typeof target) => declareModel(model, own, { worker: undefined });
  return await plan({ target, request, declare, compile, compiled, progress: silent, signal });
}

describe("plan", () => {
  test("tries every mesh that divides batch and experts, with each form of weights, the fastest first", async () => {
    const found = await plans("smollm2-135m", "tpu:v5e:2x2", 2);
    expect(found.map(({ weights, mesh }) => `${weights} ${mesh}`).sort()).toEqual([
      "bf16 data=1,expert=1,model=4",
      "bf16 data=2,expert=1,model=2",
      "int8 data=1,expert=1,model=4",
      "int8 data=2,expert=1,model=2",
    ]);
    const speeds = found.map(({ tokens_per_second }) => tokens_per_second);
    expect(speeds).toEqual([...speeds].sort((a, b) => b - a));
    expect(found.every(({ fits, bound_by }) => fits && bound_by === "memory")).toBe(true);
  });

  test("says what does not fit, and compiles none of it", async () => {
    const found = await plans("gpt-oss-120b", "tpu:v5e:1x1", 1, 3);
    expect(found.some(({ fits }) => fits)).toBe(false);
    expect(found.every(({ error }) => error === undefined)).toBe(true);
    expect(planTable(found)).toMatch(/too large/);
  });

  test("goes on where the compiler refuses one, and says which and why", async () => {
    const found = await plans("smollm2-135m", "tpu:v5e:2x2", 1, 1);
    expect(found.filter(({ error }) => error !== undefined)).toHaveLength(1);
    expect(planTable(found)).toMatch(/^\w+ data=1,expert=1,model=4: XLA did not compile the module$/m);
  });

  test("is for chips by name", async () => {
    await expect(plans("smollm2-135m", "cpu:4", 1)).rejects.toThrow(
      /--plan is for chips by name, such as tpu:v4:2x2x1/,
    );
  });
});
