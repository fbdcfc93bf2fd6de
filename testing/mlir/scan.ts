/** Cutting MLIR text where it may be cut: not inside strings, not inside brackets. */

// Public API

/** Strings, as one alternative of a pattern that looks for something else. */
export const stringPattern = String.raw`"(?:[^"\\]|\\.)*"`;

/** Where `separator` stands outside strings and brackets. */
export function placesOf(separator: string, text: string): number[] {
  const found: number[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] as string;
    if (letter === '"') at = endOfString(text, at);
    else if (depth === 0 && text.startsWith(separator, at)) {
      found.push(at);
      at += separator.length - 1;
    } else if (opening.includes(letter)) depth++;
    else if (closing.includes(letter) && !(letter === ">" && text[at - 1] === "-")) depth--;
  }
  return found;
}

/** The parts between separators that stand outside strings and brackets; none of an empty text. */
export function split(text: string, separator: string): string[] {
  if (text.trim() === "") return [];
  const cuts = placesOf(separator, text);
  return [...cuts, text.length].map((end, n) =>
    text.slice(n === 0 ? 0 : (cuts[n - 1] as number) + separator.length, end).trim(),
  );
}

/** The index after the bracket that closes the one at `start`; -1 when nothing does. */
export function endOfBracket(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const letter = text[at] as string;
    if (letter === '"') at = endOfString(text, at);
    else if (opening.includes(letter)) depth++;
    else if (closing.includes(letter) && !(letter === ">" && text[at - 1] === "-") && --depth === 0) return at + 1;
  }
  return -1;
}

/** The text of a string as MLIR writes it: what stands between the quotes, its bytes written in hexadecimal read. */
export function unquote(quoted: string): string {
  const bytes: number[] = [];
  const inner = quoted.slice(1, -1);
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] !== "\\") bytes.push(...new TextEncoder().encode(inner[at]));
    else if (inner[at + 1] === "\\") {
      bytes.push(0x5c);
      at += 1;
    } else {
      bytes.push(Number.parseInt(inner.slice(at + 1, at + 3), 16));
      at += 2;
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

// Implementation

const opening = "([{<";
const closing = ")]}>";

/** The index of the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
