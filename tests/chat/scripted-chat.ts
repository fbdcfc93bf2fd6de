/** Writes a model that answers a chat as a script says (./scripted.ts). */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Harmony, Message } from "../../inference/harmony/index.ts";
import { gptOss } from "../../models/index.ts";
import { tinyConfig, tinyNumbers, writeTiny } from "../examples/tiny-gpt-oss.ts";
import { byteTokenizerJson, byteVocabulary } from "../support/byte-tokenizer.ts";
import { scriptOf } from "./scripted.ts";

// Public API

/** A prompt as messages, and the tokens that are said after it. */
export interface ScriptedTurn {
  readonly prompt: readonly Message[];
  readonly answer: readonly number[];
}

/** The options that make a command run it. */
export const scriptedWords = (folder: string): readonly string[] => [
  ...["--model", folder, "--arch", fileURLToPath(new URL("scripted.ts", import.meta.url)), "--weights", "f32"],
];

/** Writes the model. No two turns may say something at the same position. */
export async function writeScripted(folder: string, harmony: Harmony, turns: readonly ScriptedTurn[]): Promise<string> {
  const config = tinyConfig({
    vocab_size: byteVocabulary,
    max_position_embeddings: 4096,
    num_hidden_layers: 1,
    layer_types: ["sliding_attention"],
  });
  const numbers = tinyNumbers(config);
  const declared = scriptOf(gptOss.fromHuggingFace(config));
  const [positions, width] = declared.axes.map(({ size }) => size) as [number, number];
  const unembed = numbers.get("lm_head.weight")!;
  const script = new Float32Array(positions * width);
  const taken = new Set<number>();
  for (const { prompt, answer } of turns) {
    const length = harmony.renderForCompletion(prompt).length;
    for (const [at, token] of answer.entries()) {
      const position = length - 1 + at;
      if (taken.has(position)) throw new Error(`two turns say something at position ${position}`);
      taken.add(position);
      script.set(direction(unembed, width, token), position * width);
    }
  }
  numbers.set(declared.key, script);
  await writeTiny(folder, config, numbers, [declared]);
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(byteTokenizerJson()));
  return folder;
}

// Implementation

/** A row of the stream that makes a token the likeliest. */
function direction(unembed: Float32Array, width: number, token: number): Float32Array {
  const row = (of: number) => unembed.subarray(of * width, (of + 1) * width);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((all, value, n) => all + value * b[n]!, 0);
  const own = row(token);
  const others = Array.from({ length: byteVocabulary }, (_, of) => (of === token ? 0 : dot(own, row(of))));
  if (Math.max(...others) >= 0.9 * dot(own, own)) throw new Error(`token ${token} has a neighbour as likely as itself`);
  return own.map((value) => 100 * value);
}
