/** What can be held to a golden file: a graph, a program, or a function that is traced for it. */
import {
  type AnnotatedProgram,
  lowerAnnotated,
  type Program,
  parseTarget,
  placementFor,
  type Target,
} from "../compiler/index.ts";
import { type AxisRole, type Graph, InputError, type Inputs, trace } from "../dsl/index.ts";
import { withoutLocations } from "./mlir/locations.ts";

// Public API

/**
 * A traced graph, a lowered program, a function without parameters that makes one, or the body of a trace: a function
 * of its inputs, and of the target when it wants to know.
 */
export type Lowerable =
  | Graph
  | Program
  | (() => Graph | Program)
  // biome-ignore lint/suspicious/noConfusingVoidType: a body may return any tree of tensors
  | ((given: Inputs, target: Target) => unknown | void);

/** For what a text is lowered. */
export interface LowerToOptions {
  /** As the command line writes it, such as `cpu`, or as a value. Default: `cpu`. */
  readonly target?: Target | string;
  /** What axes are, for a target of several devices: `{ mlp: "width" }` splits `mlp`. Without it nothing is split. */
  readonly roles?: Readonly<Record<string, AxisRole>>;
}

/** A text to compare: with locations, and without as golden files have it. */
export type Lowered = (Program | AnnotatedProgram) & { readonly plainText: string };

/**
 * Lowers what can be lowered.
 *
 * @param name  what a function is called in its module
 * @throws InputError for what is nothing of this, and whatever tracing throws
 */
export function lowerIt(what: unknown, name: string, { target = "cpu", roles = {} }: LowerToOptions = {}): Lowered {
  const meant = typeof target === "string" ? parseTarget(target) : target;
  const how = { platform: meant.platform, placement: placementFor(meant.mesh, roles) };
  const made = typeof what !== "function" ? what : what.length === 0 ? what() : undefined;
  if (isProgram(made)) return { ...made, plainText: withoutLocations(made.text) };
  if (isGraph(made)) return lowerAnnotated(made, how);
  if (typeof what === "function" && what.length > 0) {
    const body = what as (given: Inputs, target: Target) => unknown;
    return lowerAnnotated(
      trace(name, (given) => body(given, meant)),
      how,
    );
  }
  const found = typeof what === "function" ? `a function that gives ${typeName(made)}` : typeName(what);
  throw new InputError(
    "LOWERABLE",
    `${found} cannot be lowered: a graph from trace(), a program from lower(), or a function (given) => … is wanted`,
    { found },
  );
}

// Implementation

function isGraph(value: unknown): value is Graph {
  return typeof value === "object" && value !== null && "scope" in value && "results" in value && "donations" in value;
}

function isProgram(value: unknown): value is Program {
  return typeof value === "object" && value !== null && "text" in value && "signature" in value;
}

const typeName = (value: unknown): string =>
  value === null
    ? "null"
    : value === undefined
      ? "undefined"
      : `${/^[aeiou]/.test(typeof value) ? "an" : "a"} ${typeof value}`;
