/** What the machine has: memory, disk, limits, and folders that can be written. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { formatBytes } from "../../planning/format-bytes.ts";
import { bundleFolder, compileCache, logFolder } from "../../runtime-bridge/launch/cache-folders.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { checkPlatform, thisSystem } from "./platform.ts";

// Public API

/** @param available  what a program can still have */
export function checkMemory(total: number, available: number, processors: number): Check {
  const found = `${formatBytes(available)} of ${formatBytes(total)} can be had, ${processors} processors`;
  return available < 2e9
    ? warn(
        "memory",
        found,
        "a worker takes 0.4 GB before it holds a weight: end other programs, or use another machine",
      )
    : ok("memory", found);
}

export function checkDisk(folder: string, free: number): Check {
  const found = `${formatBytes(free)} free for ${folder}`;
  if (free < 100e6) return fail("disk", found, "free some space: the compile cache is written there");
  return free < 2e9
    ? warn("disk", found, "free some space: compiled programs and bundles are kept there")
    : ok("disk", found);
}

/** Soft limits of this process, by the letters of `ulimit`; undefined is none. */
export interface Limits {
  readonly openFiles: number | undefined;
  readonly processes: number | undefined;
  readonly addressSpace: number | undefined;
}

export function checkLimits({ openFiles, processes, addressSpace }: Limits): Check {
  const shown = (limit: number | undefined) => limit ?? "unlimited";
  const found = `${shown(openFiles)} open files, ${shown(processes)} processes, ${addressSpace === undefined ? "unlimited" : `${addressSpace} kB of`} address space`;
  if (openFiles !== undefined && openFiles < 1024)
    return warn("limits", found, "ulimit -n 4096: a checkpoint in shards is many files");
  if (processes !== undefined && processes < 512)
    return warn(
      "limits",
      found,
      "ulimit -u 4096: XLA starts a thread for each processor, and the worker one for each call",
    );
  if (addressSpace !== undefined) return warn("limits", found, "ulimit -v unlimited: XLA reserves more than it uses");
  return ok("limits", found);
}

/** @param size  of /dev/shm; undefined where there is none */
export function checkSharedMemory(size: number | undefined, platform: string): Check {
  if (platform !== "linux") return ok("shared memory", "needs no /dev/shm here");
  if (size === undefined)
    return warn("shared memory", "there is no /dev/shm", "mount one: several GPUs of one host talk through it");
  return size < 256e6
    ? warn(
        "shared memory",
        `/dev/shm has ${formatBytes(size)}`,
        "docker run --shm-size=1g: several GPUs of one host talk through it",
      )
    : ok("shared memory", `/dev/shm has ${formatBytes(size)}`);
}

/** All of it. */
export async function checkMachine(): Promise<readonly Check[]> {
  const text = (path: string) => readFile(path, "utf8");
  const available =
    Number(/^MemAvailable: +(\d+) kB$/m.exec(await text("/proc/meminfo").catch(() => ""))?.[1] ?? 0) * 1024;
  const folder = compileCache();
  const written = await checkWritable(folder);
  const disk = await statfs(written.status === "ok" ? folder : "/").catch(() => undefined);
  const shared = await statfs("/dev/shm").catch(() => undefined);
  return [
    checkPlatform(await thisSystem(text)),
    checkMemory(totalmem(), available || freemem(), availableParallelism()),
    written,
    ...(disk === undefined ? [] : [checkDisk(folder, disk.bavail * disk.bsize)]),
    checkSharedMemory(shared && shared.blocks * shared.bsize, process.platform),
    checkLimits(await readLimits()),
    ok(
      "kept",
      `logs of lost workers in ${logFolder()}, bundles ${bundleFolder() === undefined ? "nowhere (TSXLA_BUNDLE_DIR is empty)" : `in ${bundleFolder()}`}`,
    ),
  ];
}

/** Writes where compiled programs are kept, and removes it again. */
export async function checkWritable(folder: string): Promise<Check> {
  const name = "compile cache";
  const file = join(folder, `.doctor-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, "");
    await rm(file);
    return ok(name, `${folder} can be written`);
  } catch (error) {
    const hint = "make the folder writable, or programs are compiled anew in each run";
    return warn(name, `${folder} cannot be written: ${(error as Error).message}`, hint);
  }
}

// Implementation

async function readLimits(): Promise<Limits> {
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    "ulimit -n; ulimit -u 2>/dev/null || echo unlimited; ulimit -v",
  ]);
  const [openFiles, processes, addressSpace] = stdout.split("\n").map((line) => {
    const limit = Number(line.trim());
    return Number.isInteger(limit) && line.trim() !== "" ? limit : undefined;
  });
  return { openFiles, processes, addressSpace };
}
