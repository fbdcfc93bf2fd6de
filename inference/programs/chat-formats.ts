/** The chat formats that code writes and reads, by the name that an architecture declares. Others chat by their template. */
import { InputError } from "../../dsl/index.ts";
import type { Architecture, ChatFormat } from "../../models/index.ts";
import { speaksHarmony } from "../harmony/format.ts";
import { Harmony } from "../harmony/index.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

// Public API

/**
 * The format in which a model chats, with its tokens; undefined where the architecture declares none, or the tokenizer
 * lacks the format's tokens: models of one family may have been taught another format.
 *
 * @throws InputError for a declared format that is not known
 */
export function chatFormatOf(
  { name, chat }: Pick<Architecture, "name" | "chat">,
  tokenizer: Tokenizer | undefined,
): Harmony | undefined {
  if (chat === undefined) return undefined;
  if (!Object.hasOwn(formats, chat)) {
    const known = Object.keys(formats).join(", ");
    const sentence = `architecture ${name}: chat format ${JSON.stringify(chat)} is not known; known are ${known}`;
    throw new InputError("ARCHITECTURE", sentence, { name, chat });
  }
  return tokenizer === undefined ? undefined : formats[chat](tokenizer);
}

// Implementation

const formats: Readonly<Record<ChatFormat, (tokenizer: Tokenizer) => Harmony | undefined>> = {
  harmony: (tokenizer) => (speaksHarmony(tokenizer) ? new Harmony(tokenizer) : undefined),
};
