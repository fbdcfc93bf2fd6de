/**
 * What a text's values are called and where they come from: names of arguments, axes, TypeScript lines.
 *
 * The text of today has it from the compiler; a golden file has it from the map that was written beside it.
 */
import type { AnnotatedProgram, AxisNames, Program } from "../compiler/index.ts";
import { walk } from "./difference/walk.ts";
import type { ModuleText, Place, Value } from "./mlir/module.ts";

// Public API

/** For the functions of a text, by name. */
export type TextMap = ReadonlyMap<string, FunctionMap>;

/** For one function. */
export interface FunctionMap {
  readonly arguments: readonly { readonly name: string; readonly axes: AxisNames | undefined }[];
  /** For each operation in the order of the lines, terminators not counted. */
  readonly operations: readonly OperationMap[];
}

/** For one operation. */
export interface OperationMap {
  readonly place: Place | undefined;
  /** For each result; absent where they are not known. */
  readonly axes: readonly (AxisNames | undefined)[];
  /** For operands that went by other names where they were made. */
  readonly renamed: readonly (AxisNames | undefined)[];
}

/** The map of a program, whose located text was read as `module`. */
export function mapOf(program: Program | AnnotatedProgram, module: ModuleText): TextMap {
  const axes = "axes" in program ? program.axes : undefined;
  const functions = module.functions.map((func): readonly [string, FunctionMap] => {
    const known = axes?.get(func.name);
    const walked = walk(func);
    const steps = walked.steps.filter(({ isTerminator }) => !isTerminator);
    const made = (value: Value): AxisNames | undefined => {
      if (value.maker !== undefined) return known?.operations[walked.stepOf(value.maker).number]?.results[value.index];
      const { owner, index } = walked.argumentOf(value);
      return owner === undefined ? known?.arguments[index] : undefined;
    };
    const renamed = (value: Value, now: AxisNames | undefined) =>
      String(made(value)) === String(now) ? undefined : now;
    const given = func.name === "main" ? program.signature.arguments : undefined;
    return [
      func.name,
      {
        arguments: func.arguments.map(({ value }, n) => ({
          name: given?.[n]?.name ?? value.name,
          axes: known?.arguments[n] ?? given?.[n]?.axes,
        })),
        operations: steps.map(({ operation }, n) => ({
          place: operation.place,
          axes: operation.results.map((_, result) => known?.operations[n]?.results[result]),
          renamed: operation.operands.map((value, operand) => renamed(value, known?.operations[n]?.operands[operand])),
        })),
      },
    ];
  });
  return new Map(functions);
}

/**
 * Writes a map as JSON, one operation a line, so that it can be merged like text.
 *
 * @param digest  of the text that it is for: a map of another text is none
 */
export function writeMap(map: TextMap, digest: string): string {
  const functions = [...map].map(([name, func]) => {
    const given = func.arguments.map((each) => JSON.stringify([each.name, each.axes ?? null]));
    const operations = func.operations.map(({ place, axes, renamed }) => {
      const more = renamed.every((each) => each === undefined) ? [] : [orNull(renamed)];
      return JSON.stringify([place?.name ?? "", lineOf(place), orNull(axes), ...more]);
    });
    return `    ${JSON.stringify(name)}: {\n      "arguments": [${lines(given)}],\n      "operations": [${lines(operations)}]\n    }`;
  });
  return `{\n  "map": 1,\n  "of": ${JSON.stringify(digest)},\n  "functions": {\n${functions.join(",\n")}\n  }\n}\n`;
}

/** Reads a map; nothing when it is of another text or no map at all, since it only explains. */
export function readMap(json: string, digest: string): TextMap | undefined {
  try {
    const read = JSON.parse(json) as Written;
    if (read.map !== 1 || read.of !== digest) return undefined;
    return new Map(
      Object.entries(read.functions).map(([name, { arguments: given, operations }]) => [
        name,
        {
          arguments: given.map(([argument, axes]) => ({ name: argument, axes: axes ?? undefined })),
          operations: operations.map(([path, line, axes, renamed = []]) => ({
            place: placeFrom(path, line),
            axes: axes.map((each) => each ?? undefined),
            renamed: renamed.map((each) => each ?? undefined),
          })),
        },
      ]),
    );
  } catch {
    return undefined;
  }
}

// Implementation

interface Written {
  readonly map: number;
  readonly of: string;
  readonly functions: Readonly<
    Record<
      string,
      {
        readonly arguments: readonly (readonly [name: string, axes: AxisNames | null])[];
        readonly operations: readonly (readonly [
          path: string,
          line: string,
          axes: readonly (AxisNames | null)[],
          renamed?: readonly (AxisNames | null)[],
        ])[];
      }
    >
  >;
}

const orNull = (axes: readonly (AxisNames | undefined)[]) => axes.map((each) => each ?? null);

const lines = (items: readonly string[]): string =>
  items.length === 0 ? "" : `\n        ${items.join(",\n        ")}\n      `;

const lineOf = (place: Place | undefined): string =>
  place?.file === undefined ? "" : `${place.file}:${place.line}:${place.column}`;

function placeFrom(name: string, line: string): Place | undefined {
  const match = /^(.*):(\d+):(\d+)$/.exec(line);
  if (match === null) return name === "" ? undefined : { name };
  return {
    ...(name === "" ? {} : { name }),
    file: match[1] as string,
    line: Number(match[2]),
    column: Number(match[3]),
  };
}
