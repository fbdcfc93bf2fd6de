/** Which architecture a checkpoint is of. */
import { InputError } from "../dsl/index.ts";
import type { Architecture } from "./architecture.ts";
import { isOriginalGptOss } from "./gpt-oss.config.ts";
import { gptOss } from "./gpt-oss.ts";
import { llama } from "./llama.ts";

// Public API

const builtIn: readonly Architecture[] = [llama, gptOss] as readonly unknown[] as readonly Architecture[];

/**
 * The built-in architecture of that name, which is config.json's `model_type` or a GGUF header's `general.architecture`.
 *
 * @throws InputError that names those that are known
 */
export function findArchitecture(name: unknown): Architecture {
  // GGUF spells it with a dash.
  const found = builtIn.find((each) => each.name === String(name).replaceAll("-", "_"));
  if (found !== undefined) return found;
  throw new InputError(
    "ARCHITECTURE",
    `architecture ${JSON.stringify(name) ?? "nothing"} is not known; known are ${builtIn.map((each) => each.name).join(", ")}`,
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
  // OpenAI's own files name no architecture, and their keys are no one else's.
  if (isOriginalGptOss(config)) return findArchitecture(gptOss.name);
  return findArchitecture((config as Record<string, unknown> | null)?.model_type);
}
