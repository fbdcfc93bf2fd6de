/**
 * Finds added tokens in a text before the encoder sees it.
 *
 * Where several match, the leftmost wins, and of those the longest, as in Hugging Face's tokenizers.
 */

/** A token that is matched as a whole, outside the merges. Names follow tokenizer.json. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Special tokens are matched only when the caller asks for it; the other added tokens always. */
  readonly special: boolean;
  /** Whether spaces on this side belong to the token and vanish. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Whether it is looked for after the normalizer instead of before. */
  readonly normalized: boolean;
}

interface Node {
  readonly next: Map<number, Node>;
  token?: AddedToken;
}

/** Splits texts at a fixed set of added tokens. */
export class AddedTokenSplitter {
  readonly #root: Node = { next: new Map() };

  /** `spell` gives the text to look for: the content, or the normalized content. */
  constructor(tokens: Iterable<AddedToken>, spell: (token: AddedToken) => string = (token) => token.content) {
    for (const token of tokens) {
      const text = spell(token);
      if (text === "") continue;
      let node = this.#root;
      for (let at = 0; at < text.length; at++) {
        const unit = text.charCodeAt(at);
        let next = node.next.get(unit);
        if (next === undefined) node.next.set(unit, (next = { next: new Map() }));
        node = next;
      }
      node.token ??= token;
    }
  }

  /** The pieces of `text` in order: added tokens, and the non-empty texts between them. */
  split(text: string): (string | AddedToken)[] {
    if (this.#root.next.size === 0) return text === "" ? [] : [text];
    const pieces: (string | AddedToken)[] = [];
    let start = 0;
    let stripping = false;
    const pushText = (end: number, strip: boolean): void => {
      let between = text.slice(start, end);
      if (stripping) between = between.trimStart();
      if (strip) between = between.trimEnd();
      if (between !== "") pieces.push(between);
    };
    for (let at = 0; at < text.length; ) {
      const match = this.#longestAt(text, at);
      if (match === undefined) {
        at++;
        continue;
      }
      pushText(at, match.token.lstrip);
      pieces.push(match.token);
      stripping = match.token.rstrip;
      start = at = match.end;
    }
    pushText(text.length, false);
    return pieces;
  }

  #longestAt(text: string, start: number): { readonly token: AddedToken; readonly end: number } | undefined {
    let found: { token: AddedToken; end: number } | undefined;
    let node = this.#root.next.get(text.charCodeAt(start));
    for (let at = start + 1; node !== undefined; at++) {
      if (node.token !== undefined) found = { token: node.token, end: at };
      node = at < text.length ? node.next.get(text.charCodeAt(at)) : undefined;
    }
    return found;
  }
}
