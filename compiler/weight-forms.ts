/** How a model's matrices are held, as the command line writes it: `mxfp4,bf16`, `q8_0`, `f32`. */
import { InputError } from "../dsl/errors.ts";
import { type PackedFormat, packingOf, packings, type Storage } from "../dsl/packing/index.ts";

// Public API

/** A form, or as the file has it. */
export type WeightForm = Storage | "published";

/** How matrices of experts and all others are held. Norms and biases follow the others, unpacked. */
export interface WeightForms {
  readonly experts: WeightForm;
  readonly dense: WeightForm;
}

/** The forms that can be asked for: every packed form, and the floats that a model is computed in. */
export const weightForms: readonly Storage[] = [...(Object.keys(packings) as PackedFormat[]), "bf16", "f16", "f32"];

/**
 * Reads `EXPERTS[,DENSE]`. One value names both, except that with a form for experts only the others are bf16.
 *
 * @throws InputError that names the forms
 */
export function parseWeightForms(text: string): WeightForms {
  const words = text.split(",");
  const [experts, dense] = words.map((word) => weightForms.find((form) => form === word.trim()));
  const isComplete = experts !== undefined && (words.length === 1 || (words.length === 2 && dense !== undefined));
  if (isComplete && !isForExperts(dense)) {
    return { experts, dense: dense ?? (isForExperts(experts) ? "bf16" : experts) };
  }
  const alone = weightForms.filter(isForExperts).join(" and ");
  throw new InputError(
    "WEIGHTS",
    `weights '${text}' are not known: EXPERTS[,DENSE], each of ${weightForms.join(", ")}; ${alone} are for experts`,
    { text },
  );
}

// Implementation

function isForExperts(form: Storage | undefined): boolean {
  return form !== undefined && packingOf(form)?.expertsOnly === true;
}
