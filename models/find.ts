/** Which architecture a checkpoint is of. */
import { InputError } from "../dsl/index.ts";
import type { Architecture } from "./architecture.ts";
import * as families from "./families.ts";

// Public API

/**
 * The built-in architecture of that name: its own, or one that its files have, which is config.json's `model_type` or a
 * GGUF header's `general.architecture`.
 *
 * @throws InputError that names those that are known
 */
export function findArchitecture(name: unknown): Architecture {
  const found = builtIn.find((each) => namesOf(each).includes(String(name)));
  if (found !== undefined) return found;
  const known = builtIn.map((each) => each.name).join(", ");
  const written = JSON.stringify(name) ?? "nothing";
  throw new InputError(
    "ARCHITECTURE",
    [
      `architecture ${written} is not known; known are ${known}`,
      "  hint  an architecture of your own is given with --arch FILE, in a program as the option architecture",
    ].join("\n"),
    { name },
  );
}

/** Whether an architecture is one of ours, and not a user's. */
export function isBuiltIn(architecture: Architecture): boolean {
  return builtIn.includes(architecture);
}

/**
 * The built-in architecture that a config.json is of.
 *
 * @throws InputError that names those that are known
 */
export function findByConfig(config: unknown): Architecture {
  const type = (config as Record<string, unknown> | null)?.model_type;
  const named = builtIn.find(({ name, modelTypes = [name] }) => modelTypes.includes(String(type)));
  return named ?? builtIn.find((each) => each.claims?.(config)) ?? findArchitecture(type);
}

// Implementation

const builtIn: readonly Architecture[] = Object.values(families);

function namesOf({ name, modelTypes = [], ggufNames = [] }: Architecture): readonly string[] {
  return [name, ...modelTypes, ...ggufNames];
}
