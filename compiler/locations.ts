/**
 * Location aliases, numbered as MLIR numbers them: by depth, then in the order in which printing meets them.
 *
 * `loc("attn.dot"("models/llama.ts":41:12))` is a name (depth 1) around a line (depth 0). Lines and bare names are
 * numbered first. Aliases that arguments mention stand above the module, all others below.
 */
import { type Instruction, type Module, type Origin, quote } from "./stablehlo.ts";

export class LocationTable {
  readonly #aliases = new Map<string, string>();
  readonly #above = new Set<string>();
  /** All that an op emits has one origin. */
  readonly #byOrigin = new Map<Origin | undefined, string>();

  constructor(module: Module) {
    const lines = new Set<string>();
    const names = new Set<string>();
    const texts = this.#byOrigin;
    const meet = (origin: Origin | undefined) => {
      if (texts.has(origin)) return;
      const text = textOf(origin);
      texts.set(origin, text);
      if (origin?.at === undefined) lines.add(text);
      else {
        // A name's line is met first, then the name.
        lines.add(lineOf(origin));
        names.add(text);
      }
    };
    const instructions = (body: readonly Instruction[]) => {
      for (const { origin, regions } of body) {
        meet(origin);
        for (const region of regions) {
          if (region.suggested === undefined) for (const _ of region.arguments) this.#mention(undefined, meet);
          instructions(region.body);
          meet(undefined);
        }
      }
    };
    meet(undefined);
    for (const func of module.functions) {
      meet(undefined);
      for (const { origin } of func.arguments) this.#mention(origin, meet);
      instructions(func.body);
    }
    let number = 0;
    for (const text of [...lines, ...names]) {
      this.#aliases.set(text, number === 0 ? "#loc" : `#loc${number}`);
      number++;
    }
  }

  /** The alias of an unknown location. */
  get unknown(): string {
    return this.alias(undefined);
  }

  /** How an operation refers to its location. */
  alias(origin: Origin | undefined): string {
    return this.#aliases.get(this.#byOrigin.get(origin) as string) as string;
  }

  /** How an argument refers to its location. */
  inline(origin: Origin | undefined): string {
    return origin?.at === undefined ? textOf(origin) : this.alias(origin);
  }

  /** The aliases above the module. */
  header(): string {
    return this.#print((text) => this.#above.has(text));
  }

  /** The aliases below it. */
  footer(): string {
    return this.#print((text) => !this.#above.has(text));
  }

  #mention(origin: Origin | undefined, meet: (origin: Origin | undefined) => void): void {
    meet(origin);
    this.#above.add(textOf(origin));
    if (origin?.at !== undefined) this.#above.add(lineOf(origin));
  }

  #print(which: (text: string) => boolean): string {
    return [...this.#aliases]
      .filter(([text]) => which(text))
      .map(([text, alias]) => `${alias} = loc(${this.#expand(text)})\n`)
      .join("");
  }

  /** A name around a line mentions the line's alias. */
  #expand(text: string): string {
    const cut = text.indexOf(separator);
    return cut < 0 ? text : `${text.slice(0, cut)}(${this.#aliases.get(text.slice(cut + 1))})`;
  }
}

const separator = "\u0000";

function lineOf({ at }: Origin): string {
  return at === undefined ? "unknown" : `${quote(at.file)}:${at.line}:${at.column}`;
}

function textOf(origin: Origin | undefined): string {
  if (origin === undefined) return "unknown";
  const name = quote(origin.name);
  return origin.at === undefined ? name : `${name}${separator}${lineOf(origin)}`;
}
