/** What an answer with a part of a file says of itself, and the bytes in it; whatever is not the file's is refused. */
import { RuntimeFailure } from "../dsl/index.ts";
import type { Answer } from "./client.ts";
import type { HubFile } from "./listing.ts";
import type { Range } from "./partial-file.ts";
import { faultsOf } from "./retry.ts";

// Public API

/** The bytes are of something else than the commit's file. */
export class OtherContent extends Error {
  /** Whether the server may have changed its mind in between. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass = false) {
    super(message);
    this.mayPass = mayPass;
  }
}

/**
 * Requires that the hub serves the commit that was asked for, and calls the file what the commit calls it.
 *
 * @returns whether it called it anything: the hub does for files in large storage (`X-Linked-ETag`)
 */
export function requireSameFile(
  { hub, headers, status }: Answer,
  { path, size, hash }: HubFile,
  commit: string,
): boolean {
  const found = hub["x-repo-commit"];
  if (found !== undefined && found !== commit) {
    throw new RuntimeFailure("COMMIT", `the hub gives ${path} of commit ${found}; wanted ${commit}`, {
      path,
      found,
      commit,
    });
  }
  const linkedSize = hub["x-linked-size"];
  if (linkedSize !== undefined) requireSize(linkedSize, size);
  if (status === 416) requireSize(/\*\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1] ?? "fewer", size);
  const linked = hub["x-linked-etag"]?.replace(/^W\//, "").replaceAll('"', "");
  if (linked === undefined || linked.length !== hash.digest.length || !/^[0-9a-f]+$/.test(linked)) return false;
  if (linked !== hash.digest) throw new OtherContent(`the hub calls it ${linked}; wanted ${hash.digest}`);
  return true;
}

/** Where the body begins, of a file as large as it should be. */
export function startOf({ status, headers, url }: Answer, { path, size }: HubFile, { start, end }: Range): number {
  const coding = headers["content-encoding"];
  if (coding !== undefined && coding !== "identity") {
    throw new RuntimeFailure("ANSWER", `${url.host} gives ${path} in the coding ${coding}, which was not asked for`, {
      path,
      coding,
    });
  }
  if (status === 200) {
    if (headers["content-length"] !== undefined) requireSize(headers["content-length"], size);
    return 0;
  }
  const range = headers["content-range"] ?? "";
  const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? [];
  if (total !== undefined && total !== "*") requireSize(total, size);
  if (status === 206 && Number(from) === start && Number(to) < end) return start;
  throw new RuntimeFailure(
    "ANSWER",
    `${url.host} answers ${status}, '${range}', for bytes ${start} to ${end - 1} of ${path}`,
    { path, status, range },
  );
}

/** The bytes of a range from a body that begins at `from`. */
export async function* bytesOf(
  { body, status, url }: Answer,
  { size }: HubFile,
  from: number,
  { start, end }: Range,
): AsyncGenerator<Uint8Array> {
  let position = from;
  for await (const bytes of faultsOf(url, body as AsyncIterable<Buffer>)) {
    const next = position + bytes.length;
    if (next > size) throw new OtherContent(`it goes on beyond the ${size} bytes that it should have`);
    const piece = bytes.subarray(Math.max(start - position, 0), Math.max(end - position, 0));
    position = next;
    if (piece.length > 0) yield piece;
    // Of a whole file that is taken up to its end, it is worth knowing whether it ends there.
    if (position >= end && (status === 206 || end < size)) return;
  }
}

// Implementation

function requireSize(found: string, wanted: number): void {
  if (found !== String(wanted)) throw new OtherContent(`it has ${found} bytes; wanted ${wanted}`);
}
