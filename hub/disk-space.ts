/** Whether a disk has room, asked before anything is fetched. */
import { statfs } from "node:fs/promises";
import { RuntimeFailure } from "../dsl/index.ts";

// Public API

/** @throws RuntimeFailure with both sizes, when the disk of `folder` has too little room */
export async function requireSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (needed <= free) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  throw new RuntimeFailure(
    "DISK_FULL",
    `${gigabytes(needed)} are to be fetched, and the disk of ${folder} has ${gigabytes(free)}`,
    {
      folder,
      needed,
      free,
    },
  );
}
