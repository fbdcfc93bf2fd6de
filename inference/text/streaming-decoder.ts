/**
 * Turns a stream of token ids into text, holding back bytes until they make whole characters.
 *
 * A token of a byte-level vocabulary may be a part of a character: an emoji is often two to four tokens. Decoding each
 * id alone would print U+FFFD for every part.
 */

/** What the decoder needs to know of a token. */
export interface TokenBytes {
  /** The bytes that the token adds to a text. @throws InputError when there is no such id */
  bytesOf(id: number): Uint8Array;
  isSpecial(id: number): boolean;
}

/** How to read the stream. */
export interface StreamingOptions {
  /** Leave special tokens out. */
  readonly skipSpecial: boolean;
  /** Take one space away from the beginning. */
  readonly dropFirstSpace: boolean;
}

const SPACE = 0x20;
const NOTHING = new Uint8Array(0);

/** Feed ids with `push`, which returns the text that is certain so far; call `flush` once at the end. */
export class StreamingDecoder {
  readonly #tokens: TokenBytes;
  readonly #skipSpecial: boolean;
  /** `ignoreBOM`: a U+FEFF is text here, not a mark to swallow. */
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #dropSpace: boolean;

  constructor(tokens: TokenBytes, { skipSpecial, dropFirstSpace }: StreamingOptions) {
    this.#tokens = tokens;
    this.#skipSpecial = skipSpecial;
    this.#dropSpace = dropFirstSpace;
  }

  /** The bytes that `id` adds: none for a special token that is skipped. Part of `push`; for callers that want bytes. */
  pushBytes(id: number): Uint8Array {
    const bytes = this.#tokens.bytesOf(id);
    if (this.#tokens.isSpecial(id)) return this.#skipSpecial ? NOTHING : bytes;
    if (!this.#dropSpace || bytes.length === 0) return bytes;
    this.#dropSpace = false;
    return bytes[0] === SPACE ? bytes.subarray(1) : bytes;
  }

  /** The text that `id` completes: empty while a character is unfinished. @throws InputError when there is no such id */
  push(id: number): string {
    const bytes = this.pushBytes(id);
    return bytes.length === 0 ? "" : this.#utf8.decode(bytes, { stream: true });
  }

  /** What was held back: U+FFFD where the stream stopped inside a character, else nothing. The decoder starts afresh. */
  flush(): string {
    return this.#utf8.decode();
  }
}
