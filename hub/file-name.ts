/** Which names of a repository's files may become files here: what would leave the folder, or harm it, is refused. */
import { InputError } from "../dsl/index.ts";

// Public API

/** The folder inside a pulled one that holds what is not whole yet. No file of a repository may lie in it. */
export const stateFolder = ".tsxla-pull";

/** @throws InputError that names the file and what is wrong with its name */
export function requireSafeName(path: string): void {
  const reason = dangerOf(path);
  if (reason !== undefined) {
    throw new InputError("FILE_NAME", `the repository has a file named ${JSON.stringify(path)}: ${reason}`, { path });
  }
}

// Implementation

function dangerOf(path: string): string | undefined {
  const segments = path.split("/");
  if (/[\0-\x1f\x7f]/.test(path)) return "it has control characters";
  if (path.includes("\\")) return "it has a backslash, which parts folders on some systems";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "it is a path from the root";
  if (segments.includes("..")) return "it leads out of the folder";
  if (segments.some((segment) => segment === "" || segment === ".")) return "it has an empty part";
  if (segments[0]?.toLowerCase() === stateFolder) return "tsxla keeps its own state there";
  if (segments.some((segment) => new TextEncoder().encode(segment).length > longest)) return "it is too long";
  return undefined;
}

/** Bytes of a name on every file system in use. */
const longest = 255;
