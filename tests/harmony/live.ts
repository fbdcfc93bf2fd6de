/** Compares conversations that tests/harmony/oracle.py makes now: `npm run oracle:harmony -- COUNT SEED`. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { loadHarmony } from "../../inference/harmony/index.ts";
import { renderings, type Trace, trace } from "./compare.ts";
import type { OpenAiMessage } from "./from-openai.ts";

interface Case {
  readonly messages: readonly OpenAiMessage[];
  readonly tokens: Readonly<Record<string, readonly number[]>>;
  readonly trace: Trace | null;
  readonly text: string;
  readonly ids: readonly number[];
}

const [count = "100", seed = "0"] = process.argv.slice(2);
const script = fileURLToPath(new URL("oracle.py", import.meta.url));
const oracle = spawn(process.env.HARMONY_PYTHON ?? "python3", [script, "stream", count, seed], {
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = new Promise<number | null>((resolve) => oracle.once("close", resolve));
const harmony = await loadHarmony();
const seen = { conversations: 0, tokens: 0, parsed: 0, different: 0 };
for await (const line of createInterface({ input: oracle.stdout })) compare(JSON.parse(line) as Case);
const code = await ended;
console.log(
  `seed ${seed}: ${seen.conversations} conversations, ${seen.tokens} tokens in three renderings, ` +
    `${seen.parsed} parsed token by token; ${seen.different} differ`,
);
process.exitCode = code !== 0 || seen.different > 0 || seen.conversations !== Number(count) ? 1 : 0;

function compare({ messages, tokens, trace: wanted, text, ids }: Case): void {
  const ours = renderings(harmony, messages);
  same("rendering", ours, tokens, messages);
  if (wanted !== null) {
    same("parsing", trace(harmony, ours.keeping), wanted, messages);
    seen.parsed++;
  }
  same("encoding", harmony.tokenizer.encode(text), ids, text);
  seen.conversations++;
  seen.tokens += Object.values(tokens).reduce((all, { length }) => all + length, 0);
}

function same(what: string, found: unknown, wanted: unknown, of: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(wanted)) return;
  seen.different++;
  const place = `conversation ${seen.conversations} of seed ${seed}`;
  console.error(`${what} of ${place} differs\n  given ${JSON.stringify(of)}`);
  console.error(`  found ${JSON.stringify(found)}\n  wanted ${JSON.stringify(wanted)}`);
}
