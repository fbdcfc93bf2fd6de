/** What names a file's content on the hub: SHA-256 of files in large storage, git's SHA-1 of the others. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

// Public API

export interface ContentHash {
  readonly algorithm: "sha256" | "git-sha1";
  /** In hexadecimal. */
  readonly digest: string;
}

/** Computes the hash of a file of `size` bytes by the algorithm of `like`. */
export async function hashFile(
  path: string,
  size: number,
  { algorithm }: Pick<ContentHash, "algorithm">,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const hash = createHash(algorithm === "sha256" ? "sha256" : "sha1");
  // A git object is hashed with its kind and size before it (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
  if (algorithm === "git-sha1") hash.update(`blob ${size}\0`);
  for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20, ...options })) hash.update(bytes);
  return hash.digest("hex");
}
