/**
 * Where a program is to run, as a value. Model code never names any of this.
 */
import type { DType } from "../dsl/dtype.ts";
import { InputError } from "../dsl/errors.ts";
import { type Mesh, oneDevice, parseMesh } from "./mesh.ts";
import type { WeightForms } from "./weight-forms.ts";

// Public API

/** Element types that a model can compute in. */
export type ComputeType = "f32" | "bf16";

/** A platform and what it stores and computes in. */
export interface Target {
  readonly platform: "cpu";
  /** The devices, and how they are arranged. */
  readonly mesh: Mesh;
  /** How weights lie in memory; absent leaves it to the architecture. */
  readonly weights: WeightForms | undefined;
  /** What is multiplied and passed on between ops. Sums are kept in f32 either way. */
  readonly compute: ComputeType;
  /** How keys and values of earlier positions lie in memory. */
  readonly cache: DType;
}

/** What a target is told. */
export interface TargetOptions {
  readonly compute?: string;
  readonly weights?: WeightForms;
  /** Default: one device. */
  readonly mesh?: Mesh;
}

/**
 * A CPU target.
 *
 * @throws InputError for a compute type other than f32 and bf16
 */
export function cpu({ compute = "f32", weights, mesh = oneDevice }: TargetOptions = {}): Target {
  if (compute !== "f32" && compute !== "bf16") {
    throw new InputError("COMPUTE_TYPE", `a model computes in f32 or bf16, and not in ${compute}`, { compute });
  }
  return { platform: "cpu", mesh, weights, compute, cache: compute };
}

/**
 * Reads a target as the command line writes it: `cpu`, or `cpu:4` for four virtual devices.
 *
 * @param mesh  such as `expert=2,model=2`; without it all devices lie along `model`
 * @throws InputError that names what can be asked for
 */
export function parseTarget(
  spec: string,
  { mesh, ...options }: Omit<TargetOptions, "mesh"> & { mesh?: string } = {},
): Target {
  const [, count] = /^cpu(?::(\d+))?$/.exec(spec) ?? [];
  if (!/^cpu(:\d+)?$/.test(spec) || Number(count ?? 1) < 1) {
    throw new InputError("TARGET", `target '${spec}' is not known; this version compiles for cpu and cpu:N`, { spec });
  }
  const devices = Number(count ?? 1);
  return cpu({
    ...options,
    mesh: mesh === undefined ? { ...oneDevice, model: devices } : parseMesh(mesh, devices),
  });
}
