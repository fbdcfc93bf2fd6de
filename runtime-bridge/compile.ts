/**
 * Compiling a program, and keeping what a compiler refused.
 */
import type { Topology } from "../chips/topology.ts";
import type { Program } from "../compiler/program.ts";
import type { ErrorFields } from "../dsl/errors.ts";
import { Engine } from "../proto/generated/worker.ts";
import { bundleLines, writeBundle } from "./bundle.ts";
import { WorkerError } from "./errors.ts";
import { type Executable, readExecutable } from "./executable.ts";
import { type CallOptions, withDeadline } from "./link/call-options.ts";
import type { Link } from "./link/link.ts";
import { topologyToWire } from "./topology.ts";

// Public API

/** What runs a module: XLA on the devices, or StableHLO's reference interpreter on the host. */
export type EngineName = "xla" | "reference";

/** How to compile. Default deadline: 60 minutes. */
export interface CompileOptions extends CallOptions {
  readonly engine?: EngineName | undefined;
  readonly returnOptimizedHlo?: boolean | undefined;
  /** Compiles for devices that the worker need not have; the executable is described and can't be run. */
  readonly topology?: Topology | undefined;
  /** How arguments lie in memory: `auto`, nothing for the default, or what another executable says. Ahead of time only. */
  readonly argumentLayouts?: readonly string[] | undefined;
  /** Keeps what is compiled for a `topology`, so that it can be saved. */
  readonly keep?: boolean | undefined;
}

/**
 * Compiles a program, or a bare text.
 *
 * @param versions  describes the worker, for the bundle of a program that its compiler refused
 * @throws WorkerError with `place`, when the module is invalid
 */
export async function compile(
  link: Link,
  program: Program | string,
  options: CompileOptions,
  versions: () => Promise<ErrorFields>,
): Promise<Executable> {
  const { engine = "xla", returnOptimizedHlo = false, topology, argumentLayouts, keep = false, ...call } = options;
  const request = {
    topology: topology && topologyToWire(topology),
    argumentLayouts: [...(argumentLayouts ?? [])],
    module: typeof program === "string" ? program : program.text,
    engine: engine === "xla" ? Engine.XLA : Engine.REFERENCE,
    returnOptimizedHlo,
    keep,
  };
  try {
    const response = await link.compile(request, withDeadline(60 * 60_000, call));
    return readExecutable(response, program, engine === "xla");
  } catch (error) {
    // What is compiled for chips that are elsewhere fails in no other way here.
    throw topology === undefined ? await bundled(error, program, versions) : error;
  }
}

// Implementation

/** Keeps what a compiler refused. A module that is invalid counts only when our own compiler made it. */
async function bundled(
  error: unknown,
  program: Program | string,
  versions: () => Promise<ErrorFields>,
): Promise<unknown> {
  if (!(error instanceof WorkerError)) return error;
  const isOurs = typeof program !== "string";
  if (error.reason !== "COMPILE_FAILED" && !(isOurs && error.reason === "MODULE_INVALID")) return error;
  const place = await writeBundle({
    kind: "compile",
    error: { code: error.reason, message: error.message },
    program: isOurs ? program : { name: "module", text: program },
    made: await versions(),
  });
  return error.with(bundleLines(place), place);
}
