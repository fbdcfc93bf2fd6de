/**
 * The errors that people see. Each says what was wanted, then both sides by name and path, then a hint to paste.
 *
 * Fields first, text last: programs read `code` and `fields`, people read `message`.
 */

/** Values that an error names. */
export type ErrorFields = Readonly<Record<string, unknown>>;

/** The base of every error that tsxla throws on purpose. `exitCode` is what the command line ends with. */
export abstract class TsxlaError extends Error {
  abstract readonly exitCode: 1 | 2;
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(code: string, message: string, fields: ErrorFields = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.fields = fields;
  }
}

/** Something given by a person was wrong: an option, a file, a text. Nothing was lost. */
export class InputError extends TsxlaError {
  readonly exitCode = 2;
}

/** Something failed while running: a worker lost, logits that are not numbers. */
export class RuntimeFailure extends TsxlaError {
  readonly exitCode = 1;
}

/** A tensor expression that cannot mean anything: axes, sizes or element types that don't fit. Thrown while tracing. */
export class ShapeError extends TsxlaError {
  readonly exitCode = 2;
}
