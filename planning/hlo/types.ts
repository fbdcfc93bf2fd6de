/** Types as XLA prints them, `bf16[8,2880]{1,0:T(8,128)(2,1)S(3)}`: element type, sizes, layout, memory space. */

// Public API

/** An array that an instruction makes. */
export interface ArrayType {
  /** XLA's name of the element type, such as `bf16` or `f8e5m2`. */
  readonly element: string;
  /** Sizes, outermost first in meaning; the layout says how they lie in memory. */
  readonly dims: readonly number[];
  /** What stands between the braces, `1,0:T(8,128)(2,1)S(3)`; absent where the text gives none. */
  readonly layout: string | undefined;
  /** The `n` of `S(n)`: 0 is the device's main memory, others are what the back end says they are. */
  readonly space: number;
  /** Without padding of tiles. Numbers narrower than a byte count as their bits. */
  readonly bytes: number;
}

/** An array, or a tuple of types; tokens and opaque values are empty tuples, since they hold nothing. */
export type HloType = ArrayType | { readonly parts: readonly HloType[] };

/** Reads one type from `at`; returns where it ends. What is not a type is read as an empty tuple of no length. */
export function readType(text: string, at: number): { readonly type: HloType; readonly end: number } {
  let i = skipBlanks(text, at);
  if (text[i] === "(") {
    const parts: HloType[] = [];
    i++;
    for (;;) {
      i = skipBlanks(text, i);
      if (i >= text.length) return { type: { parts }, end: i };
      if (text[i] === ")") return { type: { parts }, end: i + 1 };
      if (text[i] === ",") {
        i++;
        continue;
      }
      const { type, end } = readType(text, i);
      if (end === i) return { type: { parts }, end: i };
      parts.push(type);
      i = end;
    }
  }
  array.lastIndex = i;
  const match = array.exec(text);
  if (match === null) return { type: nothing, end: at };
  const [whole, element = "", sizes = "", layout] = match;
  if (element === "token" || element === "opaque") return { type: nothing, end: i + whole.length };
  const dims = sizes === "" ? [] : sizes.split(",").map((size) => Number(size.replace("<=", "")));
  const count = dims.reduce((all, size) => all * size, 1);
  const space = layout === undefined ? 0 : Number(memorySpace.exec(layout)?.[1] ?? 0);
  return {
    type: { element, dims, layout, space, bytes: (count * bitsOf(element)) / 8 },
    end: i + whole.length,
  };
}

/** All arrays of a type, those inside tuples included. */
export function arraysOf(type: HloType): readonly ArrayType[] {
  return "parts" in type ? type.parts.flatMap(arraysOf) : [type];
}

/** The bytes of all arrays of a type. */
export function bytesOf(type: HloType): number {
  return arraysOf(type).reduce((all, { bytes }) => all + bytes, 0);
}

/** The bytes of those arrays that lie in the device's main memory: on a TPU and a GPU its HBM. */
export function mainMemoryBytes(type: HloType): number {
  return arraysOf(type).reduce((all, { bytes, space }) => (space === 0 ? all + bytes : all), 0);
}

// Implementation

const nothing: HloType = { parts: [] };
/** Layouts hold no braces of their own. */
const array = /([a-z]+[a-z0-9]*)(?:\[((?:<=)?\d+(?:,(?:<=)?\d+)*|)\])?(?:\{([^}]*)\})?/y;
const memorySpace = /S\((\d+)\)/;

/** `f8e5m2` has 8 bits, `bf16` 16, `c64` 64: the first number of every name but that of booleans. */
function bitsOf(element: string): number {
  return element === "pred" ? 8 : Number(/\d+/.exec(element)?.[0] ?? 0);
}

/** Blanks, and comments such as the index that stands before every fifth part of a long tuple. */
export function skipBlanks(text: string, at: number): number {
  let i = at;
  for (;;) {
    while (text[i] === " ") i++;
    if (!text.startsWith("/*", i)) return i;
    const end = text.indexOf("*/", i);
    if (end < 0) return text.length;
    i = end + 2;
  }
}
