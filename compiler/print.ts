/**
 * StableHLO text as MLIR's own printer writes it, byte for byte: names, numbering, indentation, location aliases.
 *
 * MLIR numbers all values of a block before it enters the regions inside, so that sibling regions start from the same
 * numbers; names that operations suggest (`%c`, `%cst`, `%iterArg`) get a suffix from one counter where they repeat.
 * Source: llvm/llvm-project mlir/lib/IR/AsmPrinter.cpp, SSANameState and AliasInitializer.
 */
import { LocationTable } from "./locations.ts";
import {
  type Func,
  type Handle,
  type Instruction,
  type Module,
  quote,
  type Region,
  resultTypes,
  typeList,
} from "./stablehlo.ts";

// Public API

/** Prints a module, with a final line break. */
export function printModule(module: Module, { locations }: { readonly locations: boolean }): string {
  const table = locations ? new LocationTable(module) : undefined;
  const lines = module.preamble.map((each) => `  ${each}${table === undefined ? "" : ` loc(${table.unknown})`}`);
  for (const func of module.functions) printFunc(func, lines, table);
  const body = `module @${symbol(module.name)} {\n${lines.join("\n")}\n}${table === undefined ? "" : ` loc(${table.unknown})`}\n`;
  return table === undefined ? body : `${table.header()}${body}${table.footer()}`;
}

/** A function's text under another name and without locations: equal for functions that mean the same. */
export function fingerprint(func: Func): string {
  const lines: string[] = [];
  printFunc({ ...func, name: "f" }, lines, undefined);
  return lines.join("\n");
}

/** A symbol as MLIR writes it after `@`: quoted where it is not a plain identifier. */
export function symbol(name: string): string {
  return /^[A-Za-z_][\w$.]*$/.test(name) ? name : quote(name);
}

// Implementation

/** Counters of MLIR's naming, copied into each nested region. */
class Names {
  readonly #of = new Map<Handle, string>();
  readonly #taken: Set<string>;
  #nextValue: number;
  #nextArgument: number;
  #nextConflict: number;
  readonly #parent: Names | undefined;

  constructor(parent?: Names) {
    this.#parent = parent;
    this.#taken = new Set(parent === undefined ? [] : parent.#taken);
    this.#nextValue = parent === undefined ? 0 : parent.#nextValue;
    this.#nextArgument = parent === undefined ? 0 : parent.#nextArgument;
    this.#nextConflict = parent === undefined ? 0 : parent.#nextConflict;
  }

  of(handle: Handle): string {
    const name = this.#of.get(handle) ?? this.#parent?.of(handle);
    if (name === undefined) throw new Error(`a value of type ${handle.type} is used in the text where it has no name`);
    return name;
  }

  argument(handle: Handle, suggested: string | undefined): void {
    this.#of.set(handle, suggested === undefined ? `%arg${this.#nextArgument++}` : this.#unique(suggested));
  }

  results({ results, suggested }: Instruction): void {
    if (results.length === 0) return;
    const base = suggested === undefined ? `%${this.#nextValue++}` : this.#unique(suggested);
    if (results.length === 1) this.#of.set(results[0] as Handle, base);
    else results.forEach((result, n) => void this.#of.set(result, `${base}#${n}`));
  }

  #unique(suggested: string): string {
    let name = suggested;
    while (this.#taken.has(name)) name = `${suggested}_${this.#nextConflict++}`;
    this.#taken.add(name);
    return `%${name}`;
  }
}

function printFunc(func: Func, lines: string[], table: LocationTable | undefined): void {
  const names = new Names();
  for (const { handle } of func.arguments) names.argument(handle, undefined);
  const given = func.arguments.map(({ handle, attributes, origin }) => {
    const extra = attributes === "" ? "" : ` {${attributes}}`;
    return `${names.of(handle)}: ${handle.type}${extra}${table === undefined ? "" : ` loc(${table.inline(origin)})`}`;
  });
  const arrow = func.returns.length === 0 ? "" : ` -> ${returnTypes(func)}`;
  const close = table === undefined ? "" : ` loc(${table.unknown})`;
  lines.push(`  func.func ${func.visibility} @${symbol(func.name)}(${given.join(", ")})${arrow} {`);
  printBlock(func.body, names, lines, "    ", table, "return", func.returns);
  lines.push(`  }${close}`);
}

/** Types of results; one that has an attribute stands in parentheses, also alone. */
function returnTypes({ returns, returnAttributes }: Func): string {
  if (returnAttributes === undefined) return resultTypes(returns);
  return `(${returns.map(({ type }, n) => `${type} {${returnAttributes[n]}}`).join(", ")})`;
}

function printBlock(
  body: readonly Instruction[],
  names: Names,
  lines: string[],
  indent: string,
  table: LocationTable | undefined,
  terminator: string,
  returns: readonly Handle[],
): void {
  for (const instruction of body) names.results(instruction);
  for (const instruction of body) printInstruction(instruction, names, lines, indent, table, terminator === "return");
  const what =
    returns.length === 0 ? "" : ` ${returns.map((handle) => names.of(handle)).join(", ")} : ${typeList(returns)}`;
  lines.push(`${indent}${terminator}${what}${table === undefined ? "" : ` loc(${table.unknown})`}`);
}

function printInstruction(
  instruction: Instruction,
  names: Names,
  lines: string[],
  indent: string,
  table: LocationTable | undefined,
  inFunction: boolean,
): void {
  const { results, pieces, regions, layout, tail, origin } = instruction;
  const text = pieces.map((piece) => (typeof piece === "string" ? piece : names.of(piece))).join("");
  // Inside a function `func` is the default dialect, which its operations then leave out.
  const operation = inFunction && text.startsWith("func.") ? text.slice("func.".length) : text;
  const first = results.length === 0 ? "" : names.of(results[0] as Handle);
  const left =
    results.length > 1
      ? `${first.slice(0, first.indexOf("#"))}:${results.length} = `
      : first === ""
        ? ""
        : `${first} = `;
  const at = table === undefined ? "" : ` loc(${table.alias(origin)})`;
  if (layout === "none") {
    lines.push(`${indent}${left}${operation}${at}`);
    return;
  }
  const inner = regions.map((region) => {
    const scope = new Names(names);
    for (const argument of region.arguments) scope.argument(argument, region.suggested);
    return scope;
  });
  if (layout === "while") {
    const header = (regions[0] as Region).arguments.map(
      (argument, n) =>
        `${(inner[0] as Names).of(argument)} = ${names.of((instruction as WhileInstruction).initial[n] as Handle)}`,
    );
    lines.push(`${indent}${left}${operation}(${header.join(", ")})${tail}`, `${indent}cond {`);
    printRegion(regions[0] as Region, inner[0] as Names, lines, indent, table);
    lines.push(`${indent}} do {`);
    printRegion(regions[1] as Region, inner[1] as Names, lines, indent, table);
    lines.push(`${indent}}${at}`);
    return;
  }
  lines.push(`${indent}${left}${operation} ({`);
  regions.forEach((region, n) => {
    if (n > 0) lines.push(`${indent}}, {`);
    if (region.arguments.length > 0) {
      const given = region.arguments.map((argument) => {
        const where = table === undefined ? "" : ` loc(${table.inline(undefined)})`;
        return `${(inner[n] as Names).of(argument)}: ${argument.type}${where}`;
      });
      lines.push(`${indent}^bb0(${given.join(", ")}):`);
    }
    printRegion(region, inner[n] as Names, lines, indent, table);
  });
  lines.push(`${indent}})${tail}${at}`);
}

/** A while loop, whose initial values stand beside the names of its first region. */
export interface WhileInstruction extends Instruction {
  readonly initial: readonly Handle[];
}

function printRegion(
  region: Region,
  names: Names,
  lines: string[],
  indent: string,
  table: LocationTable | undefined,
): void {
  printBlock(region.body, names, lines, `${indent}  `, table, "stablehlo.return", region.returns);
}
