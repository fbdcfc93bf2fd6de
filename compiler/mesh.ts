/** A mesh: the devices of a target as a grid with named axes, over which tensors are split. */
import { InputError } from "../dsl/errors.ts";

// Public API

/** The axes of every mesh, outermost first. */
export const meshAxes = ["data", "expert", "model"] as const;

export type MeshAxis = (typeof meshAxes)[number];

/** How many devices lie along each axis; their product is the number of devices. */
export type Mesh = Readonly<Record<MeshAxis, number>>;

/** One device. */
export const oneDevice: Mesh = { data: 1, expert: 1, model: 1 };

/** How many devices a mesh has. */
export function deviceCount(mesh: Mesh): number {
  return meshAxes.reduce((all, name) => all * mesh[name], 1);
}

/**
 * Reads `data=1,expert=2,model=2`; axes that are left out are 1.
 *
 * @param devices  how many there are; undefined takes as many as the mesh has
 * @throws InputError that names the axes, or a mesh that multiplies to the number of devices
 */
export function parseMesh(text: string, devices?: number): Mesh {
  const sizes = new Map<string, number>();
  for (const word of text.split(",")) {
    const [, name, size] = /^\s*(\w+)\s*=\s*(\d+)\s*$/.exec(word) ?? [];
    if (name === undefined || !(meshAxes as readonly string[]).includes(name) || Number(size) < 1 || sizes.has(name)) {
      throw new InputError(
        "MESH",
        `mesh '${text}': '${word}' is no axis of a mesh; wanted ${formatMesh({ ...oneDevice, model: devices ?? 4 })}`,
        {
          text,
        },
      );
    }
    sizes.set(name, Number(size));
  }
  const mesh = { ...oneDevice, ...Object.fromEntries(sizes) };
  if (devices === undefined || deviceCount(mesh) === devices) return mesh;
  throw new InputError(
    "MESH",
    `mesh '${text}' has ${deviceCount(mesh)} devices, and the target has ${devices}; ${formatMesh(suggestion(mesh, devices))} would fit`,
    { text, found: deviceCount(mesh), wanted: devices },
  );
}

/** `data=1,expert=2,model=2`. */
export function formatMesh(mesh: Mesh): string {
  return meshAxes.map((name) => `${name}=${mesh[name]}`).join(",");
}

// Implementation

/** The mesh that was asked for with another `model` axis, where that multiplies to the devices; else all over `model`. */
function suggestion(mesh: Mesh, devices: number): Mesh {
  const model = devices / (mesh.data * mesh.expert);
  return Number.isInteger(model) ? { ...mesh, model } : { ...oneDevice, model: devices };
}
