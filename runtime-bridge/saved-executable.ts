/**
 * The head of a file that holds a compiled program: what can be told of it without a worker.
 *
 * The worker reads and believes the file (python-worker, saved_executables/file_format.py); here only what it says of
 * itself is read, to start a worker that suits it and to show it.
 */
import { InputError } from "../dsl/errors.ts";

// Public API

/** What a saved executable says of itself; nothing of it is checked. */
export interface SavedExecutable {
  /** The program's name. */
  readonly program: string;
  /** `cpu`, `tpu` or `cuda`. */
  readonly platform: string;
  readonly deviceKind: string;
  /** For how many devices it was compiled. */
  readonly devices: number;
  /** Everything else, by the file's own names: versions, mesh, types, sizes. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Whether bytes begin as a saved executable does. */
export function isSavedExecutable(data: Uint8Array): boolean {
  return (
    Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, magic.length)).toString("latin1") === magic
  );
}

/**
 * Reads the head of a saved executable.
 *
 * @param file  its name, for errors
 * @throws InputError when it is none, or is cut off before its head ends
 */
export function describeExecutable(data: Uint8Array, file: string): SavedExecutable {
  if (!isSavedExecutable(data)) throw refuse(file, `does not begin with ${magic}`);
  if (data.byteLength < prefixBytes) throw refuse(file, `is cut off after ${data.byteLength} bytes`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [version, headerBytes] = [view.getUint32(8, true), view.getUint32(12, true)];
  if (version !== 1) throw refuse(file, `has the format ${version}, and this tsxla reads 1`);
  if (headerBytes > data.byteLength - prefixBytes) throw refuse(file, `is cut off after ${data.byteLength} bytes`);
  const facts = parse(data.subarray(prefixBytes, prefixBytes + headerBytes));
  const { program, platform, device_kind: deviceKind, devices } = facts ?? {};
  if (
    facts === undefined ||
    typeof program !== "string" ||
    typeof platform !== "string" ||
    typeof deviceKind !== "string" ||
    !Number.isSafeInteger(devices)
  ) {
    throw refuse(file, "has a head that can't be read");
  }
  const sizes = { text_bytes: Number(view.getBigUint64(16, true)), payload_bytes: Number(view.getBigUint64(24, true)) };
  return { program, platform, deviceKind, devices: devices as number, facts: { ...facts, ...sizes } };
}

// Implementation

const magic = "TSXLAEXE";
const prefixBytes = 32;

function parse(header: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const found: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
    return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function refuse(file: string, why: string): InputError {
  return new InputError(
    "EXECUTABLE",
    `${file} is no saved executable: it ${why}; \`tsxla compile --save\` and \`tsxla exec --save\` make them`,
    { file },
  );
}
