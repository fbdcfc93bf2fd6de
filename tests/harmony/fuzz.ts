/**
 * Streams of tokens that no model should emit, made from those that one would, and what must hold of any of them.
 *
 *     npm run fuzz                   a million streams
 *     npm run fuzz -- 5000 17        5000, of seed 17
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Harmony, loadHarmony, type ParsedMessage, type Role } from "../../inference/harmony/index.ts";
import { splitMix64 } from "../../inference/sampling/random.ts";
import { messageFrom, type OpenAiMessage } from "./from-openai.ts";

// Public API

/** What was checked, to show that the streams were worth it. */
export interface Fuzzed {
  readonly streams: number;
  readonly tokens: number;
  readonly messages: number;
  /** How often each kind of problem came up. */
  readonly problems: Readonly<Record<string, number>>;
}

/**
 * Parses streams and checks each: nothing throws; all ordinary tokens' text is in a header or in content, in order, and
 * nothing else is; every way to cut the stream gives the same; what was read can be rendered again.
 *
 * @throws Error that names the seed and the stream's number
 */
export function fuzz(harmony: Harmony, count: number, seed: number, onStream?: (done: number) => void): Fuzzed {
  const streams = baseStreams(harmony);
  const problems: Record<string, number> = {};
  let [tokens, messages] = [0, 0];
  for (let index = 0; index < count; index++) {
    const draw = drawing(splitMix64(BigInt(seed), index));
    const role: Role | undefined = draw(3) === 0 ? "assistant" : undefined;
    const ids = mutated(harmony, streams, draw);
    try {
      const parsed = check(harmony, ids, role, draw);
      tokens += ids.length;
      messages += parsed.messages.length;
      for (const { code } of parsed.problems) problems[code] = (problems[code] ?? 0) + 1;
    } catch (cause) {
      const stream = JSON.stringify(ids);
      throw new Error(`stream ${index} of seed ${seed}, role ${role}: ${(cause as Error).message}\n${stream}`, {
        cause,
      });
    }
    onStream?.(index + 1);
  }
  return { streams: count, tokens, messages, problems };
}

// Implementation

type Draw = (below: number) => number;

/** Whole numbers below a bound, by xorshift32 (Marsaglia, 2003), which is faster than 64 bits are here. */
function drawing(seed: bigint): Draw {
  let state = Number(seed & 0xffff_ffffn) || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What openai-harmony's cases are rendered to. */
function baseStreams(harmony: Harmony): number[][] {
  const file = new URL("fixtures/conversations.json", import.meta.url);
  const cases = JSON.parse(readFileSync(file, "utf8")) as { readonly messages: readonly OpenAiMessage[] }[];
  return cases.map(({ messages }) => harmony.render(messages.map(messageFrom)));
}

function mutated(harmony: Harmony, streams: readonly number[][], draw: Draw): number[] {
  const { tokenizer, tokens } = harmony;
  const format = Object.values(tokens) as number[];
  const piece = (): number[] => {
    const stream = streams[draw(streams.length)]!;
    // Mostly from where a message begins.
    const any = draw(Math.max(stream.length, 1));
    const start = draw(4) === 0 ? any : Math.max(stream.indexOf(tokens.start, any), 0);
    return stream.slice(start, start + 1 + draw(80));
  };
  const any = (): number => {
    switch (draw(8)) {
      case 0:
        return 199_998 + draw(1200);
      case 1:
        return draw(256);
      case 2:
        return [-1, 0.5, Number.NaN, 2 ** 40, tokenizer.vocabularySize, Number.POSITIVE_INFINITY][draw(6)]!;
      case 3:
        return draw(199_998);
      default:
        return format[draw(format.length)]!;
    }
  };
  const ids = piece();
  for (let change = draw(8); change > 0; change--) {
    const at = draw(ids.length + 1);
    switch (draw(7)) {
      case 0:
        ids.splice(at, 1 + draw(4));
        break;
      case 1:
        ids.splice(at, 0, any());
        break;
      case 2:
        ids.splice(at, 1, any());
        break;
      case 3:
        ids.splice(at, 0, ...piece());
        break;
      case 4:
        ids.splice(at, 0, ...ids.slice(at, at + 1 + draw(6)));
        break;
      case 5: {
        // A token of the format vanishes everywhere.
        const gone = format[draw(format.length)];
        const kept = ids.filter((id) => id !== gone);
        ids.splice(0, ids.length, ...kept);
        break;
      }
      default:
        ids.length = Math.min(ids.length, at);
    }
  }
  // Now and then a header too long to be one.
  if (draw(200) === 0) ids.splice(draw(ids.length + 1), 0, ...Array.from({ length: 300 }, () => draw(199_998)));
  return ids;
}

function check(harmony: Harmony, ids: readonly number[], role: Role | undefined, draw: Draw) {
  const one = harmony.parser({ role });
  const deltas: string[] = [];
  let said = "";
  for (const event of [...ids.flatMap((id) => one.push(id)), ...one.end()]) {
    if (event.kind === "header") same("a header within a message", said, "");
    if (event.kind === "delta") said += event.text;
    if (event.kind !== "message") continue;
    deltas.push(said);
    said = "";
  }
  same("text after the last message", said, "");
  same(
    "deltas and contents",
    deltas,
    one.messages.map(({ content }) => content),
  );

  const cut = harmony.parser({ role });
  let joined = "";
  for (let at = 0; at < ids.length; ) {
    const length = 1 + draw(12);
    for (const event of cut.push(ids.slice(at, at + length))) if (event.kind === "delta") joined += event.text;
    at += length;
  }
  for (const event of cut.end()) if (event.kind === "delta") joined += event.text;
  same("messages of the same stream, cut otherwise", cut.messages, one.messages);
  same("problems of the same stream, cut otherwise", cut.problems, one.problems);
  same("deltas of the same stream, cut otherwise", joined, deltas.join(""));

  const text = one.messages.map(({ header, content }) => header + content).join("");
  // White space after the last message is nobody's.
  same("text", text.trimEnd(), ordinaryText(harmony, ids).trimEnd());
  if (draw(20) === 0) harmony.render(one.messages.map(renderable), { dropAnalysis: false });
  return { messages: one.messages, problems: one.problems };
}

const renderable = (message: ParsedMessage): ParsedMessage => message;

/** The text between special tokens, each run for itself; an id that is none is U+FFFD. */
function ordinaryText({ tokenizer }: Harmony, ids: readonly number[]): string {
  const specials = new Set(tokenizer.specialTokens.values());
  let text = "";
  let run: number[] = [];
  const close = (): void => {
    text += tokenizer.decode(run);
    run = [];
  };
  for (const id of ids) {
    const known = Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize;
    if (known && !specials.has(id)) run.push(id);
    else close();
    if (!known) text += "\uFFFD";
  }
  close();
  return text;
}

function same(what: string, found: unknown, wanted: unknown): void {
  const [ours, theirs] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (ours !== theirs) throw new Error(`${what} differ\n  found  ${ours}\n  wanted ${theirs}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [count = "1000000", seed = String(Date.now() % 1e6)] = process.argv.slice(2);
  const every = Math.max(Math.floor(Number(count) / 20), 1);
  const done = fuzz(await loadHarmony(), Number(count), Number(seed), (streams) => {
    if (streams % every === 0) process.stderr.write(`${streams} streams\n`);
  });
  console.log(`seed ${seed}: ${JSON.stringify(done)}`);
}
