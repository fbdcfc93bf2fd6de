/** A file of prompts: one a line, UTF-8. */
import { readFile } from "node:fs/promises";
import { InputError } from "../../dsl/index.ts";

// Public API

/** A prompt and where it stands. */
export interface PromptLine {
  /** From 1, as editors count. */
  readonly line: number;
  readonly text: string;
}

/**
 * Reads one. Lines of nothing but white space hold no prompt; a byte order mark and a line's carriage return are not part
 * of it, everything else is.
 *
 * @throws InputError for a file that cannot be read, that holds no prompt, or a line that is not UTF-8
 */
export async function readPrompts(file: string): Promise<readonly PromptLine[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const message = `--prompts ${file} cannot be read: ${(cause as Error).message}`;
    throw new InputError("PROMPTS_FILE", message, { file }, { cause });
  }
  const prompts = parsePrompts(bytes, file);
  if (prompts.length > 0) return prompts;
  throw new InputError("PROMPTS_FILE", `--prompts ${file} holds no prompt; it has one a line`, { file });
}

/** The same of bytes in memory. */
export function parsePrompts(bytes: Uint8Array, file: string): readonly PromptLine[] {
  const prompts: PromptLine[] = [];
  for (let line = 1, start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    const text = decoded(bytes.subarray(start, end), file, line).replace(/\r$/, "");
    if (text.trim() !== "") prompts.push({ line, text });
    start = end + 1;
  }
  return prompts;
}

// Implementation

const newline = 0x0a;

function decoded(bytes: Uint8Array, file: string, line: number): string {
  try {
    // Inside of the file, a byte order mark is none.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: line > 1 }).decode(bytes);
  } catch {
    throw new InputError("PROMPTS_FILE", `--prompts ${file}: line ${line} is not UTF-8`, { file, line });
  }
}
