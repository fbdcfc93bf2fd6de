/**
 * Where a program is to run, as a value. Model code never names any of this.
 */

import { parseTopology, type Topology } from "../chips/topology.ts";
import type { DType } from "../dsl/dtype.ts";
import { InputError } from "../dsl/errors.ts";
import { deviceCount, type Mesh, oneDevice, parseMesh } from "./mesh.ts";
import type { Platform } from "./platform.ts";
import type { WeightForms } from "./weight-forms.ts";

// Public API

/** Element types that a model can compute in. */
export type ComputeType = "f32" | "bf16";

/** Devices, and what they store and compute in. */
export interface Target {
  readonly platform: Platform;
  /** The devices, and how they are arranged. */
  readonly mesh: Mesh;
  /** Devices that need not be here, for which a program is compiled ahead of time; absent is what the worker has. */
  readonly topology: Topology | undefined;
  /** How weights lie in memory; absent leaves it to the architecture. */
  readonly weights: WeightForms | undefined;
  /** What is multiplied and passed on between ops. */
  readonly compute: ComputeType;
  /**
   * What products, sums and means are added up in, also between devices: on no target is it narrower. Whole numbers are added
   * up as they are; what one device has and the others have as zeros, such as a row that was looked up, travels as it is.
   */
  readonly accumulate: "f32";
  /** How keys and values of earlier positions lie in memory. */
  readonly cache: DType;
}

/** What a target is told. */
export interface TargetOptions {
  /** `f32` or `bf16`. Default: `f32` on a CPU, else `bf16`. */
  readonly compute?: string;
  readonly weights?: WeightForms;
  /** Default: all devices along `model`. */
  readonly mesh?: Mesh;
}

/**
 * A CPU target.
 *
 * @throws InputError for a compute type other than f32 and bf16
 */
export function cpu({ compute = "f32", weights, mesh = oneDevice }: TargetOptions = {}): Target {
  return make("cpu", undefined, { compute, weights, mesh });
}

/**
 * Reads a target as the command line writes it: `cpu`, `cpu:4` for four virtual devices, `tpu` or `cuda` for what the worker
 * has, `tpu:v4:2x2x1` or `cuda:h100:4` ahead of time.
 *
 * @param mesh  such as `expert=2,model=2`; without it all devices lie along `model`
 * @throws InputError that names what can be asked for, or a mesh that would fit
 */
export function parseTarget(
  spec: string,
  { mesh, compute, weights }: Omit<TargetOptions, "mesh"> & { mesh?: string } = {},
): Target {
  const { platform, devices, topology } = parseSpec(spec);
  return make(platform, topology, {
    compute: compute ?? (platform === "cpu" ? "f32" : "bf16"),
    weights,
    mesh: mesh === undefined ? { ...oneDevice, model: devices ?? 1 } : parseMesh(mesh, devices),
  });
}

/** How many devices a worker has to be started with. */
export function virtualDevices({ platform, mesh }: Target): number {
  return platform === "cpu" ? deviceCount(mesh) : 1;
}

// Implementation

interface Spec {
  readonly platform: Platform;
  /** Undefined leaves it to the mesh. */
  readonly devices: number | undefined;
  readonly topology: Topology | undefined;
}

function parseSpec(spec: string): Spec {
  const [, count] = /^cpu(?::(\d{1,4}))?$/.exec(spec) ?? [];
  if (spec === "cpu" || Number(count) >= 1)
    return { platform: "cpu", devices: Number(count ?? 1), topology: undefined };
  if (spec === "tpu" || spec === "cuda") return { platform: spec, devices: undefined, topology: undefined };
  const topology = parseTopology(spec);
  return { platform: topology.platform, devices: topology.devices, topology };
}

function make(
  platform: Platform,
  topology: Topology | undefined,
  {
    compute,
    weights,
    mesh,
  }: { readonly compute: string; readonly weights: WeightForms | undefined; readonly mesh: Mesh },
): Target {
  if (compute !== "f32" && compute !== "bf16") {
    throw new InputError("COMPUTE_TYPE", `a model computes in f32 or bf16, and not in ${compute}`, { compute });
  }
  return { platform, mesh, topology, weights, compute, accumulate: "f32", cache: compute };
}
