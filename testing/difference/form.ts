/** An operation on one line, with axes where MLIR writes their positions. */
import type { AxisNames } from "../../compiler/index.ts";
import type { Operation } from "../mlir/module.ts";
import { type Describer, shortKind } from "./values.ts";

// Public API

/** `dot_general(w.up, %10 multiply), contracting_dims = [1 embed] x [2 embed]`. */
export function describeOperation(operation: Operation, side: Describer): string {
  const operands = operation.operands.map((value) => side.name(value)).join(", ");
  const form = namedForm(operation, side);
  return `${shortKind(operation.kind)}${operands === "" ? "" : `(${operands})`}${form === "" ? "" : ` ${form}`}`;
}

/** What is written beside operands and types, with the names of the axes that it means. */
export function namedForm(operation: Operation, side: Describer): string {
  const { kind, form, results } = operation;
  // What only says where operands stand.
  const bare = form.replaceAll(/\(?(?<!\w)_(?!\w)(?:(?:, | init: )_(?!\w))*\)?(?:, )?/g, "").trim();
  const [first, second] = [0, 1].map((slot) => side.operandAxes(operation, slot));
  const [result] = results.map((value) => side.axesOf(value));
  const indexed =
    kind === "stablehlo.broadcast_in_dim" || kind === "stablehlo.iota" || kind === "stablehlo.concatenate";
  return shorten(
    bare
      .replace(/((?:batching|contracting)_dims = )\[([\d, ]*)\] x \[([\d, ]*)\]/g, (_, word, left, right) => {
        return `${word}[${nameAll(left, first)}] x [${nameAll(right, second)}]`;
      })
      .replace(/(dimensions = |\bdims = )\[([\d, ]*)\]/, (_, word, list) => {
        return `${word}[${nameAll(list, indexed ? result : first)}]`;
      })
      .replace(/(\bdim = |\bdimension = )(\d+)/, (_, word, position) => {
        return `${word}${nameAll(position, indexed ? result : first)}`;
      }),
  );
}

// Implementation

function nameAll(list: string, axes: AxisNames | undefined): string {
  return list.replaceAll(/\d+/g, (position) => {
    const name = axes?.[Number(position)];
    return name === undefined ? position : `${position} ${name}`;
  });
}

/** Constants can be as long as a table. */
const shorten = (text: string): string =>
  text.length > 200 ? `${text.slice(0, 120)}… (${text.length} characters)` : text;
