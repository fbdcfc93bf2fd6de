/** How a model's matrices are held, as the command line writes it: `mxfp4,bf16`, `q8_0`, `f32`. */
import { InputError } from "../dsl/errors.ts";
import { packingOf, type Storage } from "../dsl/packing/index.ts";

// Public API

/** A form, or as the file has it. */
export type WeightForm = Storage | "published";

/** How matrices of experts and all others are held. Norms and biases follow the others, unpacked. */
export interface WeightForms {
  readonly experts: WeightForm;
  readonly dense: WeightForm;
}

/** The forms that can be asked for. */
export const weightForms = [
  "mxfp4",
  "e5m2",
  "q8_0",
  "int8",
  "bf16",
  "f16",
  "f32",
] as const satisfies readonly Storage[];

/**
 * Reads `EXPERTS[,DENSE]`. One value names both, except that with a form for experts only the others are bf16.
 *
 * @throws InputError that names the forms
 */
export function parseWeightForms(text: string): WeightForms {
  const words = text.split(",").map((word) => word.trim());
  const known = words.every((word): word is (typeof weightForms)[number] =>
    (weightForms as readonly string[]).includes(word),
  );
  const [experts, dense] = words as (typeof weightForms)[number][];
  if (!known || experts === undefined || words.length > 2 || (dense !== undefined && isForExperts(dense))) {
    throw new InputError(
      "WEIGHTS",
      `weights '${text}' are not known: EXPERTS[,DENSE], each of ${weightForms.join(", ")}; ${weightForms.filter(isForExperts).join(" and ")} are for experts`,
      { text },
    );
  }
  return { experts, dense: dense ?? (isForExperts(experts) ? "bf16" : experts) };
}

// Implementation

function isForExperts(form: Storage): boolean {
  return packingOf(form)?.expertsOnly ?? false;
}
