/**
 * XLA's optimised module as it prints it: computations of instructions, and the tables of source locations above them.
 *
 * Reads the text of every back end (TPU, GPU, CPU; with operands' types or without, names with `%` or without), keeps
 * what it does not know as text, and never refuses a line: a new attribute must not cost a report.
 */
import { InputError } from "../../dsl/errors.ts";
import { type HloType, readType, skipBlanks } from "./types.ts";

// Public API

/** One instruction. */
export interface Instruction {
  readonly name: string;
  /** XLA's name of the operation, such as `dot` or `all-reduce-start`. */
  readonly opcode: string;
  readonly type: HloType;
  /** Names of the instructions that it reads, all of its own computation. */
  readonly operands: readonly string[];
  /** What stands between the parentheses: operands, or a constant's value, or a parameter's number. */
  readonly argument: string;
  /** All behind the parentheses, as printed. */
  readonly attributes: string;
  readonly isRoot: boolean;
  /** The path of the program's operation that it came from, such as `jit(step)/layers.0/attn.dot`. */
  readonly opName: string | undefined;
  /** A key of `HloModule.frames`. */
  readonly frame: number | undefined;
  /** The cycles that the back end expects it to take, where it says so (TPU). */
  readonly estimatedCycles: number | undefined;
}

/** Instructions in the order in which they run, where the module is scheduled. */
export interface Computation {
  readonly name: string;
  readonly instructions: readonly Instruction[];
  readonly byName: ReadonlyMap<string, Instruction>;
  readonly root: Instruction | undefined;
}

/** A line of the source that a program was made from. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The function, or for text that tsxla lowered the operation: `attn.dot`. */
  readonly within: string;
}

/** A module. */
export interface HloModule {
  readonly name: string;
  readonly entry: Computation;
  readonly computations: ReadonlyMap<string, Computation>;
  /** The innermost source line of each stack frame. */
  readonly frames: ReadonlyMap<number, SourceLine>;
}

/**
 * Reads the text of an optimised module.
 *
 * @throws InputError when it holds no entry computation, which every module has
 */
export function readHlo(text: string): HloModule {
  const computations = new Map<string, Computation>();
  const tables = new Tables();
  let name = "";
  let entry: Computation | undefined;
  let open: { readonly name: string; readonly isEntry: boolean; readonly lines: string[] } | undefined;
  for (let start = 0; start < text.length; ) {
    const next = text.indexOf("\n", start);
    const end = next < 0 ? text.length : next;
    const line = text.slice(start, end).replace(/\r$/, "");
    start = end + 1;
    if (open === undefined) {
      const head = line.endsWith("{") && line[0] !== " " ? computationHead.exec(line) : null;
      if (head !== null) open = { name: head[2] as string, isEntry: head[1] !== undefined, lines: [] };
      else if (line.startsWith("HloModule ")) name = /^HloModule ([^\s,]+)/.exec(line)?.[1] ?? "";
      else tables.read(line);
    } else if (line[0] === "}") {
      const made = computation(open.name, open.lines);
      computations.set(open.name, made);
      if (open.isEntry) entry = made;
      open = undefined;
    } else if (instructionHead.test(line)) {
      open.lines.push(line);
    } else if (open.lines.length > 0) {
      // A constant's value or a kernel's text may go over several lines.
      open.lines.push(`${open.lines.pop()}\n${line}`);
    }
  }
  if (entry === undefined) {
    const start = text.slice(0, 60).split("\n")[0];
    throw new InputError(
      "HLO_TEXT",
      `this is not the text of an optimised module: it has no ENTRY computation; it starts with '${start}'`,
      { start },
    );
  }
  return { name, entry, computations, frames: tables.frames() };
}

/** The computation that an attribute names: `called(i, "body")` of a loop. */
export function called(instruction: Instruction, attribute: string): string | undefined {
  return attributeWord(instruction.attributes, attribute);
}

/** The branches of a `conditional`, in order. */
export function branchesOf(instruction: Instruction): readonly string[] {
  const list = /\bbranch_computations=\{([^}]*)\}/.exec(instruction.attributes)?.[1];
  if (list !== undefined) return list.split(",").map((each) => each.trim().replace(/^%/, ""));
  return ["true_computation", "false_computation"].flatMap((key) => called(instruction, key) ?? []);
}

/** How often a loop runs, where the compiler found out. */
export function knownTrips(instruction: Instruction): number | undefined {
  const found = /"known_trip_count":\{"n":"(\d+)"\}/.exec(instruction.attributes)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The source line of an instruction, where one survived. */
export function sourceLine(module: HloModule, { frame }: Instruction): SourceLine | undefined {
  return frame === undefined ? undefined : module.frames.get(frame);
}

// Implementation

const computationHead = /^(ENTRY\s+)?%?([^\s(]+)\s*\(.*\)\s*->.*\{$/;
const instructionHead = /^\s+(?:ROOT\s+)?%?([^\s=(){}",]+)\s*=\s/;

function computation(name: string, lines: readonly string[]): Computation {
  const instructions = lines.map(readInstruction);
  return {
    name,
    instructions,
    byName: new Map(instructions.map((each) => [each.name, each])),
    root: instructions.find(({ isRoot }) => isRoot) ?? instructions.at(-1),
  };
}

function readInstruction(line: string): Instruction {
  const head = instructionHead.exec(line) as RegExpExecArray;
  const { type, end } = readType(line, head[0].length);
  const from = skipBlanks(line, end);
  const paren = line.indexOf("(", from);
  const close = paren < 0 ? line.length : closing(line, paren);
  const argument = paren < 0 ? "" : line.slice(paren + 1, close);
  const attributes = line.slice(close + 1);
  const opcode = line.slice(from, paren < 0 ? undefined : paren).trim();
  const metadata = attributes.indexOf("metadata={");
  const about = metadata < 0 ? "" : attributes.slice(metadata);
  const frame = /\bstack_frame_id=(\d+)/.exec(about)?.[1];
  const cycles = /"estimated_cycles":"?(\d+)/.exec(attributes)?.[1];
  return {
    name: head[1] as string,
    opcode,
    type,
    operands: opcode === "constant" || opcode === "parameter" ? [] : operandNames(argument),
    argument,
    attributes,
    isRoot: /^\s+ROOT\s/.test(line),
    opName: /\bop_name="((?:[^"\\]|\\.)*)"/.exec(about)?.[1],
    frame: frame === undefined ? undefined : Number(frame),
    estimatedCycles: cycles === undefined ? undefined : Number(cycles),
  };
}

/** Operands are `%a`, `f32[2]{0} %a`, or `a` in texts without signs. */
function operandNames(argument: string): string[] {
  if (argument.includes("%")) return [...argument.matchAll(/%([^\s,(){}]+)/g)].map(([, name]) => name as string);
  return splitTop(argument).flatMap((each) => /([^\s,(){}]+)\s*$/.exec(each)?.[1] ?? []);
}

/** Splits at commas that stand in no bracket. */
function splitTop(text: string): string[] {
  const bare = text.replace(/\/\*.*?\*\//g, "");
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < bare.length; i++) {
    const char = bare[i] as string;
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth--;
    else if (char === "," && depth === 0) {
      parts.push(bare.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, bare.slice(from)].filter((part) => part.trim() !== "");
}

/** Where the parenthesis that opens at `at` closes; strings may hold any. */
function closing(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 40) depth++;
    else if (code === 41 && --depth === 0) return i;
    else if (code === 34) i = endOfString(text, i);
  }
  return text.length;
}

function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return text.length;
}

function attributeWord(attributes: string, key: string): string | undefined {
  return new RegExp(`(?:^|[\\s,])${key}=%?([^\\s,{}()]+)`).exec(attributes)?.[1];
}

/** The tables `FileNames`, `FunctionNames`, `FileLocations` and `StackFrames`: rows of a number and a value. */
class Tables {
  readonly #rows = new Map<string, Map<number, string>>();
  #table: Map<number, string> | undefined;

  read(line: string): void {
    const row = /^(\d+) (.*)$/.exec(line);
    if (row !== null) this.#table?.set(Number(row[1]), row[2] as string);
    else if (/^[A-Z]\w+$/.test(line)) this.#rows.set(line, (this.#table = new Map()));
  }

  /** Only the innermost line: that of tsxla's operations is the model's, what is around them is the worker's. */
  frames(): Map<number, SourceLine> {
    const table = (name: string) => this.#rows.get(name) ?? new Map<number, string>();
    const text = (name: string, id: number | undefined) => (table(name).get(id ?? -1) ?? "").replace(/^"|"$/g, "");
    const lines = new Map<number, SourceLine>();
    for (const [id, row] of table("FileLocations")) {
      lines.set(id, {
        file: text("FileNames", field(row, "file_name_id")),
        line: field(row, "line") ?? 0,
        column: field(row, "column") ?? 0,
        within: text("FunctionNames", field(row, "function_name_id")),
      });
    }
    const frames = new Map<number, SourceLine>();
    for (const [id, row] of table("StackFrames")) {
      const line = lines.get(field(row, "file_location_id") ?? -1);
      if (line !== undefined) frames.set(id, line);
    }
    return frames;
  }
}

function field(row: string, key: string): number | undefined {
  const found = new RegExp(`\\b${key}=(\\d+)`).exec(row)?.[1];
  return found === undefined ? undefined : Number(found);
}
