/** A model of a few thousand weights that reads bytes, and files of requests for it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tinyConfig, tinyNumbers, writeTiny } from "../examples/tiny-gpt-oss.ts";
import { byteTokenizerJson, byteVocabulary } from "../support/byte-tokenizer.ts";

// Public API

/**
 * Writes the model's folder.
 *
 * @param change  multiplies one weight: another model of the same configuration
 * @param poison  a byte for which the model has no numbers
 */
export async function writeTinyModel(
  folder: string,
  { change = 1, poison }: { readonly change?: number; readonly poison?: number } = {},
): Promise<string> {
  const config = tinyConfig({
    num_hidden_layers: 2,
    vocab_size: byteVocabulary,
    layer_types: ["sliding_attention", "full_attention"],
    eos_token_id: 256,
    // Harmony's beginning alone has some hundred bytes.
    max_position_embeddings: 1024,
  });
  const numbers = tinyNumbers(config);
  const changed = numbers.get("model.embed_tokens.weight") as Float32Array;
  changed[0] = (changed[0] as number) * change;
  const width = changed.length / byteVocabulary;
  if (poison !== undefined) changed.fill(Number.NaN, poison * width, (poison + 1) * width);
  await writeTiny(folder, config, numbers);
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(byteTokenizerJson()));
  return folder;
}

/** A request for a greedy answer. */
export function requestLine(customId: string, prompt: string, maxTokens: number): string {
  const body = { model: "tiny", prompt, max_tokens: maxTokens, temperature: 0 };
  return JSON.stringify({ custom_id: customId, method: "POST", url: "/v1/completions", body });
}

/** So many requests of different lengths, made from a seed. */
export function requestLines(count: number, { seed = 1, maxTokens = 24 } = {}): string[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, (_, n) => {
    const words = Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * 1e6).toString(36));
    return requestLine(`request-${n}`, words.join(" "), 1 + Math.floor(random() * maxTokens));
  });
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
