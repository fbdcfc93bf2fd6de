/**
 * Harmony: its encoding, rendering and parsing, in TypeScript against openai-harmony, which is Rust.
 *
 * The peer needs `npm run oracle:harmony` once, which installs it; without it only our own times are told. Conversations
 * are those of tests/harmony/fixtures; the text is docs/log.md.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Harmony } from "../inference/harmony/harmony.ts";
import { loadO200kHarmony } from "../inference/harmony/index.ts";
import { messageFrom, type OpenAiMessage } from "../tests/harmony/from-openai.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { printTable, range, ratios } from "./support/table.ts";

export const description = "Harmony's encoding, rendering and parsing, against openai-harmony";

/** Milliseconds by what was done. */
type Times = Readonly<Record<string, number>>;

export async function bench(given: readonly string[]): Promise<void> {
  const { rounds } = readOptions(given, { rounds: 7 });
  const text = readFileSync(new URL("../docs/log.md", import.meta.url), "utf8");
  const fixture = new URL("../tests/harmony/fixtures/conversations.json", import.meta.url);
  const cases = JSON.parse(readFileSync(fixture, "utf8")) as { readonly messages: readonly OpenAiMessage[] }[];
  const conversations = cases.map(({ messages }) => messages.map(messageFrom));
  const noise = watchNoise();
  const [ours, theirs]: [Times[], Times[]] = [[], []];
  let tokens = 0;
  for (let round = 0; round < rounds; round++) {
    const peer = peerTimes();
    if (peer !== undefined) theirs.push(peer);
    const times: Record<string, number> = {};
    const timed = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
      const started = performance.now();
      const result = await work();
      times[name] = performance.now() - started;
      return result;
    };
    const harmony = new Harmony(await timed("load", () => loadO200kHarmony()));
    await timed("encode", () => harmony.tokenizer.encode(text));
    const rendered = await timed("render", () =>
      conversations.map((messages) => harmony.render(messages, { dropAnalysis: false })),
    );
    await timed("parse", () => rendered.map((ids) => harmony.parse(ids)));
    tokens = rendered.reduce((all, { length }) => all + length, 0);
    ours.push(times);
  }
  const what = {
    load: "load the ranks",
    encode: `encode ${text.length} characters`,
    render: `render ${conversations.length} conversations, ${tokens} tokens`,
    parse: "parse them, token by token",
  };
  const cells = (all: readonly Times[], name: string) => all.map((times) => times[name] as number);
  printTable(
    ["", "tsxla ms", "openai-harmony ms", "tsxla / openai-harmony"],
    Object.entries(what).map(([name, title]) => {
      const own = cells(ours, name);
      if (theirs.length < rounds) return [title, range(own), "not installed", "–"];
      const peer = cells(theirs, name);
      return [title, range(own), range(peer), range(ratios(own, peer), 2)];
    }),
  );
  console.log(`\n${noise.report()}`);
}

function peerTimes(): Times | undefined {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const python = `${root}.oracle-harmony-venv/bin/python`;
  if (!existsSync(python)) return undefined;
  const ranks = dirname(createRequire(import.meta.url).resolve("gpt-tokenizer/data/o200k_base.tiktoken"));
  const { stdout, status } = spawnSync(python, [`${root}tests/harmony/oracle.py`, "time", `${root}docs/log.md`], {
    env: { ...process.env, TIKTOKEN_ENCODINGS_BASE: ranks },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`openai-harmony ended with ${status}`);
  return JSON.parse(stdout) as Times;
}
