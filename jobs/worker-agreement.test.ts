/** Which of several workers' weights a job is answered with. */
import { describe, expect, test } from "@jest/globals";
import { Agreement, type Candidate } from "./worker-agreement.ts";
import type { Identity } from "./worker-identity.ts";

const identity = (weights: string, jaxlib = "0.7"): Identity => ({
  "the version of tsxla's worker": "0.1.0",
  "the version of jax": "0.7",
  "the version of jaxlib": jaxlib,
  "the platform": "cpu",
  "the kind of device": "cpu",
  "the weights": weights,
  "configuration, tokenizer or template": "c",
});

const candidate = (name: string, weights: string, jaxlib?: string): Candidate => ({
  name,
  identity: identity(weights, jaxlib),
  fingerprint: async () => `fp_${weights}`,
});

function agreementOf(names: readonly string[], recorded?: string, graceMs = 60_000): Agreement {
  const agreement = new Agreement(recorded, graceMs);
  for (const name of names) agreement.expect(name);
  return agreement;
}

const outcome = (accepted: Promise<string>) => accepted.catch((error: Error) => error.message);

describe("workers that differ", () => {
  test("are set aside by name: most decide, not who comes first", async () => {
    const agreement = agreementOf(["a", "b", "c"]);
    const odd = outcome(agreement.accept(candidate("a", "other")));
    const others = [agreement.accept(candidate("b", "w")), agreement.accept(candidate("c", "w"))];
    expect(await Promise.all(others)).toEqual(["fp_w", "fp_w"]);
    expect(await odd).toBe("a differs from b in the weights\n  b  w\n  a  other");
    // And whoever comes later.
    expect(await outcome(agreement.accept(candidate("d", "w", "0.8")))).toBe(
      "d differs from b in the version of jaxlib\n  b  0.7\n  d  0.8",
    );
  });

  test("are as many: the one that was named first decides", async () => {
    const agreement = agreementOf(["a", "b"]);
    const second = outcome(agreement.accept(candidate("b", "other")));
    expect(await agreement.accept(candidate("a", "w"))).toBe("fp_w");
    expect(await second).toMatch(/^b differs from a in the weights/);
  });

  test("from the answers in the output are refused, whichever worker it is", async () => {
    const agreement = agreementOf(["a", "b", "c"], "fp_w");
    expect(await outcome(agreement.accept(candidate("a", "other")))).toBe(
      "the output holds answers of fp_w, and a would answer as fp_other: another model, other weights, or weights held " +
        "otherwise\n  give the job the model it began with, or another --output",
    );
    // The others must still be alike.
    const third = outcome(agreement.accept(candidate("c", "w", "0.8")));
    expect(await agreement.accept(candidate("b", "w"))).toBe("fp_w");
    expect(await third).toMatch(/^c differs from b in the version of jaxlib/);
  });
});

test("unreachable workers are not waited for, and slow ones not for long", async () => {
  const agreement = agreementOf(["a", "b"]);
  const accepted = agreement.accept(candidate("a", "w"));
  agreement.absent("b");
  expect(await accepted).toBe("fp_w");
  expect(await agreementOf(["a", "b"], undefined, 10).accept(candidate("b", "w"))).toBe("fp_w");
});
