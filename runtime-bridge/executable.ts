/**
 * A compiled program, as the worker that holds it describes it.
 */
import type { Program, Signature } from "../compiler/program.ts";
import { RuntimeFailure } from "../dsl/errors.ts";
import type { CompileResponse } from "../proto/generated/worker.ts";
import { fromWire, sameType, type TensorType, typeText } from "./element-type.ts";

// Public API

/** A compiled program. Valid until its worker ends. */
export interface Executable {
  readonly id: string;
  /** The program's name, when it came from the compiler. */
  readonly name: string | undefined;
  /** How to call it by name, when it came from the compiler. */
  readonly signature: Signature | undefined;
  readonly arguments: readonly TensorType[];
  readonly results: readonly TensorType[];
  /** The indices of arguments that a call consumes. */
  readonly donated: ReadonlySet<number>;
  /** Whether the persistent cache, or this worker, already held it. */
  readonly fromCache: boolean;
  readonly compileSeconds: number;
  /** Per device. */
  readonly argumentBytes: number;
  readonly outputBytes: number;
  readonly aliasBytes: number;
  readonly tempBytes: number;
  /** As XLA prints it, when it was asked for. */
  readonly optimizedHlo: string | undefined;
  /** How each argument lies in memory, when it was compiled ahead of time. */
  readonly argumentLayouts: readonly string[];
}

/**
 * Reads the worker's answer to `compile`.
 *
 * @throws RuntimeFailure when the worker counts other arguments or types than the compiler did: a bug of one of the two
 */
export function readExecutable(response: CompileResponse, program: Program | string, donates: boolean): Executable {
  const from = typeof program === "string" ? undefined : program;
  const executable: Executable = {
    id: response.executableId,
    name: from?.name,
    signature: from?.signature,
    arguments: response.arguments.map(fromWire),
    results: response.results.map(fromWire),
    donated: donates ? (from ? donatedOf(from.signature) : donatedIn(program as string)) : new Set(),
    fromCache: response.fromCache,
    compileSeconds: response.compileSeconds,
    argumentBytes: response.argumentBytes,
    outputBytes: response.outputBytes,
    aliasBytes: response.aliasBytes,
    tempBytes: response.tempBytes,
    optimizedHlo: response.optimizedHlo || undefined,
    argumentLayouts: response.argumentLayouts,
  };
  if (from) {
    compare(from.name, "argument", from.signature.arguments, executable.arguments);
    compare(from.name, "result", from.signature.results, executable.results);
  }
  return executable;
}

// Implementation

const donatedOf = (signature: Signature): ReadonlySet<number> =>
  new Set(signature.arguments.flatMap(({ donatedTo }, index) => (donatedTo === undefined ? [] : [index])));

/** Of a bare text only what decides whether a handle survives a call is read: the attributes of `@main`'s arguments. */
function donatedIn(text: string): ReadonlySet<number> {
  const start = text.search(/@main\s*\(/);
  const found = new Set<number>();
  if (start < 0) return found;
  const end = text.indexOf("->", start);
  const head = text.slice(start, end < 0 ? undefined : end).replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  head
    .split(/%[\w$.-]+\s*:/)
    .slice(1)
    .forEach((argument, index) => {
      if (/tf\.aliasing_output|jax\.buffer_donor/.test(argument)) found.add(index);
    });
  return found;
}

function compare(
  program: string,
  what: string,
  wanted: readonly (TensorType & { readonly name: string })[],
  found: readonly TensorType[],
): void {
  const differing = wanted.findIndex((type, index) => found[index] === undefined || !sameType(type, found[index]));
  if (differing < 0 && wanted.length === found.length) return;
  const at = differing < 0 ? wanted.length : differing;
  const name = wanted[at]?.name ?? `${what} ${at}`;
  const ours = wanted[at] ? typeText(wanted[at]) : "nothing";
  const theirs = found[at] ? typeText(found[at]) : "nothing";
  throw new RuntimeFailure(
    "SIGNATURE_MISMATCH",
    `the program '${program}' and the worker that compiled it disagree about its ${what} '${name}'\n  program  ${ours}\n  worker   ${theirs}`,
    { program, what, name, wanted: ours, found: theirs },
  );
}
