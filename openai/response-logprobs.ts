/**
 * Log-probabilities in the shapes of OpenAI's two APIs.
 *
 * A token that is no whole text is spelled by its bytes, `\xf0\x9f` in chats and `bytes:\xf0\x9f` in completions, as
 * OpenAI's servers do; -9999 stands for a token that cannot come.
 */
import type { Piece } from "../inference/answers/answer.ts";
import type { TokenLogprob } from "../inference/sampling/sampler.ts";
import type { Tokenizer } from "../inference/text/tokenizer.ts";

// Public API

/** `choices[].logprobs` of a chat. */
export function chatLogprobs(pieces: readonly Piece[], tokenizer: Tokenizer | undefined): object {
  const entry = ({ token, logprob }: TokenLogprob) => {
    const bytes = bytesOf(token, tokenizer);
    return { token: wholeText(bytes) ?? escaped(bytes), logprob: finite(logprob), bytes: [...bytes] };
  };
  const content = pieces.map((piece) => ({ ...entry(piece), top_logprobs: (piece.topLogprobs ?? []).map(entry) }));
  return { content, refusal: null };
}

/** `choices[].logprobs` of a completion: places count characters of the choice's text. */
export function completionLogprobs(pieces: readonly Piece[], tokenizer: Tokenizer | undefined): object {
  const spelled = (token: number) => {
    const bytes = bytesOf(token, tokenizer);
    return wholeText(bytes) ?? `bytes:${escaped(bytes)}`;
  };
  const decoder = tokenizer?.decoder({ skipSpecial: true, continues: true });
  let offset = 0;
  const offsets = pieces.map(({ token }) => {
    const here = offset;
    offset += [...(decoder?.push(token) ?? "")].length;
    return here;
  });
  return {
    tokens: pieces.map(({ token }) => spelled(token)),
    token_logprobs: pieces.map(({ logprob }) => finite(logprob)),
    top_logprobs: pieces.map((piece) =>
      // The token itself is told also where others are likelier.
      Object.fromEntries([...(piece.topLogprobs ?? []), piece].map((one) => [spelled(one.token), finite(one.logprob)])),
    ),
    text_offset: offsets,
  };
}

// Implementation

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function bytesOf(token: number, tokenizer: Tokenizer | undefined): Uint8Array {
  return tokenizer === undefined ? new Uint8Array() : tokenizer.decodeBytes([token], { continues: true });
}

function wholeText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const escaped = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");

/** JSON has no infinity. Source: OpenAI's API reference, `logprob`. */
const finite = (logprob: number): number => (Number.isFinite(logprob) ? logprob : -9999);
