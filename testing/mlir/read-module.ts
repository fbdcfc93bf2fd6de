/**
 * Reads StableHLO text in the form in which MLIR prints what tsxla lowers to, with locations or without.
 *
 * Not a parser of MLIR: one operation stands on one line, and regions are those of `stablehlo.while` or follow in
 * parentheses. What is printed otherwise is refused with its line.
 */
import { InputError } from "../../dsl/index.ts";
import { type Aliases, cutLocation, placeOf, readAliases } from "./locations.ts";
import type { ArgumentText, Block, FunctionText, ModuleText, Operation, ResultText, Value } from "./module.ts";
import { type LineParts, listTypes, readLine } from "./read-operation.ts";
import { endOfBracket, placesOf, split, stringPattern, unquote } from "./scan.ts";

// Public API

/**
 * Reads a module.
 *
 * @param source  what the text is called in errors, such as its file
 * @throws InputError that names the line that could not be read
 */
export function readModule(text: string, source: string): ModuleText {
  return new Reader(text, source).module();
}

// Implementation

/** Names of values where a line stands. */
type Names = ReadonlyMap<string, Value>;

class Reader {
  readonly #lines: readonly string[];
  readonly #source: string;
  readonly #aliases: Aliases;
  #at = 0;

  constructor(text: string, source: string) {
    this.#lines = text.trimEnd().split(/\r?\n/);
    this.#source = source;
    this.#aliases = readAliases(this.#lines);
  }

  module(): ModuleText {
    this.#skip();
    const head = modulePattern.exec(cutLocation(this.#lines[this.#at++] ?? "").text);
    if (head === null) throw this.#refuse("a module begins with `module @NAME {`");
    const functions: FunctionText[] = [];
    const preamble: string[] = [];
    for (;;) {
      const line = cutLocation(this.#peek().trim()).text;
      if (line === "}") break;
      if (/^[a-z]+\.\w+ @/.test(line) && !line.startsWith("func.func")) {
        preamble.push(line);
        this.#at++;
      } else functions.push(this.#function());
    }
    this.#at++;
    this.#skip();
    if (this.#at < this.#lines.length) throw this.#refuse("nothing stands below the module");
    return { name: symbolOf(head[1] ?? "@"), attributes: head[2]?.trim() ?? "", preamble, functions };
  }

  #function(): FunctionText {
    const line = this.#next().trim();
    const head = functionPattern.exec(line);
    if (head === null) throw this.#refuse("a function begins with `func.func`");
    const open = head[0].length - 1;
    const close = endOfBracket(line, open);
    const tail = line.slice(close);
    if (close < 0 || !tail.endsWith("{")) throw this.#refuse("a function's line ends with `{`");
    const names = new Map<string, Value>();
    const given = split(line.slice(open + 1, close - 1), ", ").map((each, index) => this.#argument(each, index, names));
    const results = listTypes(tail.slice(0, -1).replace(/^ -> /, "")).map(cutAttributes);
    const { block, end } = this.#block(names, []);
    if (cutLocation(end).text !== "}") throw this.#refuse("a function ends with `}`");
    return {
      name: symbolOf(head[2] as string),
      visibility: head[1] ?? "public",
      arguments: given,
      results,
      body: { ...block, arguments: given.map(({ value }) => value) },
    };
  }

  /** `%arg0: tensor<2xf32> {attribute} loc("x")`. */
  #argument(text: string, index: number, names: Map<string, Value>): ArgumentText {
    const { text: declared, location } = cutLocation(text);
    const match = /^(%[\w$.-]+): (.*)$/.exec(declared);
    if (match === null) throw this.#refuse(`an argument is written \`%NAME: TYPE\`, and not \`${text}\``);
    const [, name = "", rest = ""] = match;
    const { type, attributes } = cutAttributes(rest);
    const value: Value = { name, type, index, maker: undefined };
    names.set(name, value);
    return { value, attributes, place: placeOf(location, this.#aliases) };
  }

  /** Reads up to the line that closes the block, which it takes as well. */
  #block(outer: Names, given: readonly Value[]): { readonly block: Block; readonly end: string } {
    const names = new Map(outer);
    for (const each of given) names.set(each.name, each);
    const operations: Operation[] = [];
    let heading = given;
    for (;;) {
      const line = this.#next().trim();
      if (line.startsWith("^bb")) {
        const open = line.indexOf("(");
        heading = split(line.slice(open + 1, endOfBracket(line, open) - 1), ", ").map(
          (each, index) => this.#argument(each, index, names).value,
        );
        continue;
      }
      if (line.startsWith("}")) {
        const terminator = operations.pop();
        if (terminator === undefined) throw this.#refuse("a block ends with a terminator");
        return { block: { arguments: heading, operations, terminator }, end: line };
      }
      operations.push(this.#operation(line, names));
    }
  }

  #operation(line: string, names: Map<string, Value>): Operation {
    const number = this.#at;
    if (/^(?:%\S+ = )?stablehlo\.while\(/.test(line)) return this.#while(line, names, number);
    const { text, location } = cutLocation(line);
    if (!text.endsWith(" ({")) return this.#made(this.#parts(text), names, [], location, number);
    const regions: Block[] = [];
    for (;;) {
      const { block, end } = this.#block(names, []);
      regions.push(block);
      if (end === "}, {") continue;
      const { text: tail, location: at } = cutLocation(end);
      if (!tail.startsWith("})")) throw this.#refuse("regions end with `})`");
      return this.#made(this.#parts(text.slice(0, -3) + tail.slice(2)), names, regions, at, number);
    }
  }

  /** `%1 = stablehlo.while(%iterArg = %c) : tensor<i32>`, then `cond {`, `} do {` and `}`. */
  #while(line: string, names: Map<string, Value>, number: number): Operation {
    const open = line.indexOf("(");
    const close = endOfBracket(line, open);
    const pairs = split(line.slice(open + 1, close - 1), ", ").map((each) => each.split(" = "));
    const initial = pairs.map(([, value]) => value).join(", ");
    const parts = this.#parts(`${line.slice(0, open)}(${initial})${line.slice(close)}`);
    const given = (): Value[] =>
      pairs.map(([name = ""], index) => ({ name, type: parts.resultTypes[index] ?? "", index, maker: undefined }));
    if (this.#next().trim() !== "cond {") throw this.#refuse("a loop goes on with `cond {`");
    const { block: condition, end: between } = this.#block(names, given());
    if (between !== "} do {") throw this.#refuse("a loop's condition ends with `} do {`");
    const { block: body, end } = this.#block(names, given());
    return this.#made(parts, names, [condition, body], cutLocation(end).location, number);
  }

  #parts(text: string): LineParts {
    const parts = readLine(text);
    if (parts === undefined) throw this.#refuse("this is no operation as MLIR prints one");
    return parts;
  }

  #made(
    parts: LineParts,
    names: Map<string, Value>,
    regions: readonly Block[],
    location: string | undefined,
    line: number,
  ): Operation {
    const results: Value[] = [];
    const operation: Operation = {
      kind: parts.kind,
      form: parts.form,
      operands: parts.operands.map((name) => {
        const value = names.get(name) ?? names.get(`${name}#0`);
        if (value === undefined) throw this.#refuse(`${name} is used before it is made`);
        return value;
      }),
      results,
      types: parts.types,
      regions,
      place: placeOf(location, this.#aliases),
      line,
    };
    parts.results.forEach((name, index) => {
      const value: Value = { name, type: parts.resultTypes[index] ?? "", index, maker: operation };
      results.push(value);
      names.set(name, value);
    });
    return operation;
  }

  /** Over what stands around a module: aliases, comments, empty lines. */
  #skip(): void {
    while (this.#at < this.#lines.length && /^\s*(?:$|\/\/|#loc\d* = )/.test(this.#lines[this.#at] as string))
      this.#at++;
  }

  #peek(): string {
    const line = this.#lines[this.#at];
    if (line === undefined) throw this.#refuse("the text ends inside the module");
    return line;
  }

  #next(): string {
    const line = this.#peek();
    this.#at++;
    return line;
  }

  #refuse(wanted: string): InputError {
    const found = this.#lines[this.#at - 1] ?? "";
    const shown = found.length > 120 ? `${found.slice(0, 120)}…` : found;
    return new InputError(
      "MLIR_TEXT",
      `${this.#source}:${this.#at}: ${wanted}\n  found  ${shown.trim()}\n  hint   this reads what tsxla prints; write the file anew if somebody edited it`,
      { source: this.#source, line: this.#at },
    );
  }
}

/** `tensor<2xf32> {attribute}`. */
function cutAttributes(text: string): ResultText {
  const [brace] = placesOf(" {", text);
  return brace === undefined
    ? { type: text, attributes: "" }
    : { type: text.slice(0, brace), attributes: text.slice(brace + 2, -1) };
}

const modulePattern = new RegExp(`^module(?: (@(?:${stringPattern}|[\\w$.-]+)))?( attributes .*)? \\{$`);
const functionPattern = new RegExp(`^func\\.func (?:(public|private|nested) )?(@(?:${stringPattern}|[\\w$.-]+))\\(`);

const symbolOf = (symbol: string): string => (symbol[1] === '"' ? unquote(symbol.slice(1)) : symbol.slice(1));
