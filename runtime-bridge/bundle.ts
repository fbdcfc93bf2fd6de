/**
 * Bundles: what failed, in a folder from which it fails again without tsxla.
 *
 * A folder holds the program's text, what it was given, bundle.json that says how the two belong together, and
 * reproduce.py, which needs jax and numpy alone. Folders lie below `$TSXLA_BUNDLE_DIR` (default: beside the caches; empty
 * makes none), never take a name that exists, and are not written any more once all of them hold `$TSXLA_BUNDLE_LIMIT`
 * bytes (default: 4 GiB).
 */
import { copyFile, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorFields } from "../dsl/errors.ts";
import { byteLength, type TensorType } from "./element-type.ts";
import type { HostTensor } from "./host-tensor.ts";
import { bundleFolder } from "./launch/cache-folders.ts";
import { SafetensorsWriter } from "./safetensors.ts";

// Public API

/** What a bundle holds. */
export interface Bundle {
  readonly kind: "compile" | "numbers";
  /** What went wrong, and of numbers the results that are none. */
  readonly error: { readonly code: string; readonly message: string; readonly results?: readonly string[] | undefined };
  /** The StableHLO text that failed, and its name for the folder's. */
  readonly program: { readonly name: string; readonly text: string };
  /** The same program with its named values as results. */
  readonly traced?:
    | {
        readonly text: string;
        readonly activations: readonly { readonly name: string; readonly at: string; readonly result: number }[];
      }
    | undefined;
  readonly arguments?: readonly BundleArgument[] | undefined;
  readonly results?: readonly (TensorType & { readonly name: string })[] | undefined;
  /** Programs that make arguments of a checkpoint's tensors. */
  readonly loads?: readonly { readonly text: string; readonly arguments: readonly BundleArgument[] }[] | undefined;
  /** What is known of the worker that failed. */
  readonly made: ErrorFields;
}

/** An argument of a program, and where its bytes are. */
export interface BundleArgument extends TensorType {
  readonly name: string;
  readonly from: /** Read when its turn comes: weights are many. */
    | { read(): Promise<HostTensor> }
    /** Part of a file that stays where it is. */
    | { readonly file: string; readonly offset: number; readonly bytes: number }
    /** The result of a load. */
    | { readonly load: number; readonly result: number };
}

/** Where a bundle is, or why there is none. */
export type BundlePlace = { readonly folder: string } | { readonly reason: string } | undefined;

/** Writes a bundle. Undefined when none are wanted. Never rejects: a failure must not hide the one that it tells of. */
export async function writeBundle(bundle: Bundle): Promise<BundlePlace> {
  const parent = bundleFolder();
  if (parent === undefined) return undefined;
  if (/^\s*sdy\.mesh /m.test(bundle.program.text))
    return { reason: "the program is for several devices, and reproduce.py has one" };
  try {
    const wanted = sizeOf(bundle);
    const limit = Number(process.env.TSXLA_BUNDLE_LIMIT || 4 * 2 ** 30);
    const held = await bytesBelow(parent);
    if (held + wanted > limit) {
      return {
        reason: `${parent} holds ${held} bytes, this one has ${wanted}, and TSXLA_BUNDLE_LIMIT is ${limit}: remove some`,
      };
    }
    const folder = await newFolder(parent, `${bundle.kind}-${bundle.program.name.replaceAll(/[^\w.-]/g, "_")}`);
    await fill(folder, bundle);
    return { folder };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

/** The lines that an error's message gets. */
export function bundleLines(place: BundlePlace): string {
  if (place === undefined) return "";
  if ("reason" in place) return `\n  bundle  none: ${place.reason}`;
  return `\n  bundle  ${place.folder}  (python reproduce.py there runs it without tsxla)`;
}

// Implementation

async function fill(folder: string, bundle: Bundle): Promise<void> {
  const { program, traced, loads = [], results, error, kind, made } = bundle;
  const tensors = new Map<string, Kept>();
  const describe = ({ name, dtype, shape, from }: BundleArgument, owner: string) => {
    if (!("read" in from)) return { name, dtype, shape, from };
    const tensor = `${owner}${name}`;
    tensors.set(tensor, { dtype, shape, read: from.read });
    return { name, dtype, shape, from: { file: inputs, tensor } };
  };
  const texts = [...new Set(loads.map(({ text }) => text))];
  const description = {
    kind,
    error,
    made: { ...made, time: new Date().toISOString(), node: process.version },
    program: "program.mlir",
    traced: traced && { program: "traced.mlir", activations: traced.activations },
    arguments: (bundle.arguments ?? []).map((each) => describe(each, "")),
    results: (results ?? []).map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    loads: loads.map(({ text, arguments: given }, n) => ({
      program: `load-${texts.indexOf(text)}.mlir`,
      arguments: given.map((each) => describe(each, `loads.${n}.`)),
    })),
  };
  await writeFile(join(folder, "program.mlir"), program.text);
  if (traced) await writeFile(join(folder, "traced.mlir"), traced.text);
  for (const [n, text] of texts.entries()) await writeFile(join(folder, `load-${n}.mlir`), text);
  if (tensors.size > 0) await writeTensors(join(folder, inputs), tensors);
  await copyFile(fileURLToPath(new URL("reproduce.py", import.meta.url)), join(folder, "reproduce.py"));
  // Last: a folder that has it is whole.
  await writeFile(join(folder, "bundle.json"), `${JSON.stringify(description, undefined, 1)}\n`);
}

const inputs = "inputs.safetensors";

interface Kept extends TensorType {
  read(): Promise<HostTensor>;
}

/** What the format has no name for is written as bytes: bundle.json says what they are. */
async function writeTensors(path: string, tensors: ReadonlyMap<string, Kept>): Promise<void> {
  const types = [...tensors].map(([name, { dtype, shape }]) =>
    SafetensorsWriter.knows(dtype)
      ? ([name, { dtype, shape }] as const)
      : ([name, { dtype: "u8", shape: [byteLength({ dtype, shape })] }] as const),
  );
  await using file = await SafetensorsWriter.open(path, Object.fromEntries(types));
  for (const each of tensors.values()) await file.write((await each.read()).data);
  await file.finish();
}

/** `numbers-decode-20261124T114500-1234-1`: made by nobody else, also not at the same time. */
async function newFolder(parent: string, what: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  const time = new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15);
  for (let n = 1; ; n++) {
    const folder = resolve(parent, `${what}-${time}-${process.pid}-${n}`);
    try {
      await mkdir(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

function sizeOf({ program, traced, arguments: given = [], loads = [] }: Bundle): number {
  const texts = [program.text, traced?.text ?? "", ...new Set(loads.map(({ text }) => text))];
  const all = [...given, ...loads.flatMap((each) => each.arguments)];
  return [
    ...texts.map((text) => text.length),
    ...all.map((each) => ("read" in each.from ? byteLength(each) : 0)),
  ].reduce((sum, size) => sum + size, 0);
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = entries.map(async (entry) =>
    entry.isFile() ? (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size : undefined,
  );
  return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + (size ?? 0), 0);
}
