/** Every chip, a file each. Targets, estimates, manifests, messages and the README's table are made from this list. */
import { InputError } from "../dsl/errors.ts";
import { a100 } from "./a100.ts";
import type { Chip } from "./chip.ts";
import { h100 } from "./h100.ts";
import { v3 } from "./v3.ts";
import { v4 } from "./v4.ts";
import { v5e } from "./v5e.ts";
import { v5p } from "./v5p.ts";
import { v6e } from "./v6e.ts";

// Public API

/** The chips by their names, in the order in which messages list them. */
export const chips = { v3, v4, v5e, v5p, v6e, h100, a100 } as const satisfies Readonly<Record<string, Chip>>;

export type ChipName = keyof typeof chips;

/**
 * The chip of that name.
 *
 * @throws InputError that names the chips
 */
export function chipOf(name: string): Chip {
  const chip = findChip(name);
  if (chip !== undefined) return chip;
  throw new InputError("CHIP", `chip '${name}' is not known; known are ${Object.keys(chips).join(", ")}`, { name });
}

/** The chip of that name, if there is one. */
export function findChip(name: string): Chip | undefined {
  return Object.hasOwn(chips, name) ? chips[name as ChipName] : undefined;
}

/** The chips of a platform. */
export function chipsOf<P extends Chip["platform"]>(platform: P): readonly Extract<Chip, { readonly platform: P }>[] {
  const isOf = (chip: Chip): chip is Extract<Chip, { readonly platform: P }> => chip.platform === platform;
  return Object.values<Chip>(chips).filter(isOf);
}
