/** What the headers of all GGUF files have in common: keys begin with the architecture's name, and the tokens are listed. */
import type { z } from "zod";
import type { Metadata } from "./architecture.ts";
import { count, parseConfig, positive } from "./parse-input.ts";

// Public API

/** The keys that every family reads, for its schema. */
export const ggufSizes = {
  block_count: count(10_000),
  embedding_length: count(),
  "attention.head_count": count(),
  "attention.layer_norm_rms_epsilon": positive(),
  context_length: count(2 ** 30),
  vocab_size: count(),
};

/** The keys of a family without its name: `llama.block_count` is `block_count`. `vocab_size` is counted where it is not said. */
export function ggufKeys(metadata: Metadata, names: readonly string[]): Readonly<Record<string, unknown>> {
  const prefix = `${ggufName(metadata, names)}.`;
  const keys = Object.fromEntries(
    [...metadata].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );
  const tokens = metadata.get("tokenizer.ggml.tokens");
  return { ...keys, vocab_size: keys.vocab_size ?? (Array.isArray(tokens) ? tokens.length : undefined) };
}

/**
 * Reads them.
 *
 * @param names  what `general.architecture` may be
 * @throws InputError that names every key that is missing or wrong
 */
export function readGgufHeader<Schema extends z.ZodType>(
  schema: Schema,
  metadata: Metadata,
  names: readonly string[],
): z.output<Schema> {
  return parseConfig(schema, ggufKeys(metadata, names), `the GGUF header's ${ggufName(metadata, names)}.* keys`);
}

// Implementation

/** The name that the header's keys begin with: its own where the family has it. */
function ggufName(metadata: Metadata, names: readonly string[]): string {
  const own = String(metadata.get("general.architecture"));
  return names.includes(own) ? own : (names[0] as string);
}
