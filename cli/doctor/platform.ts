/**
 * Which machines tsxla runs on: docs/platforms.md as a function.
 *
 * What decides is for which systems jaxlib has wheels, and where the tests run.
 */
import { type Check, fail, ok, warn } from "./check.ts";

// Public API

/** A system, in Node's words. */
export interface System {
  readonly platform: string;
  readonly arch: string;
  /** Of a Linux with GNU's C library its version; undefined on one with another, such as Alpine's. */
  readonly glibc: string | undefined;
  /** Of an x86-64 processor on Linux, what it can; undefined where nobody says. */
  readonly cpuFlags: ReadonlySet<string> | undefined;
}

/** Judges a system. */
export function checkPlatform({ platform, arch, glibc, cpuFlags }: System): Check {
  const system = `${platform} ${arch}`;
  const name = "platform";
  if (platform === "win32") {
    return fail(name, system, "the worker needs a Unix: run tsxla in WSL 2 (docs/platforms.md)");
  }
  if (platform === "darwin") {
    return arch === "arm64"
      ? warn(name, system, "jaxlib has wheels for it, but the tests run on Linux x86-64: please report what you find")
      : fail(name, system, "jaxlib has no wheels for Macs with Intel processors: use another machine as a worker");
  }
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64")) {
    return fail(name, system, "jaxlib has no wheels for it: use another machine as a worker");
  }
  if (glibc === undefined) {
    return fail(name, `${system} without GNU's C library`, "jaxlib has no wheels for musl: use a glibc distribution");
  }
  if (isOlder(glibc, [2, 27])) {
    return fail(name, `${system}, glibc ${glibc}`, "jaxlib's wheels need glibc 2.27: use a newer distribution");
  }
  if (cpuFlags !== undefined && !cpuFlags.has("avx")) {
    return fail(name, `${system} without AVX`, "jaxlib's wheels use AVX: use another machine as a worker");
  }
  if (arch === "arm64") {
    return warn(
      name,
      `${system}, glibc ${glibc}`,
      "jaxlib has wheels for it, but the tests run on Linux x86-64: please report what you find",
    );
  }
  return ok(name, `${system}, glibc ${glibc}: where the tests run`);
}

/** This machine. */
export async function thisSystem(readFile: (path: string) => Promise<string>): Promise<System> {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const cpuinfo = process.arch === "x64" ? await readFile("/proc/cpuinfo").catch(() => "") : "";
  const [, flags] = /^flags\s*: (.*)$/m.exec(cpuinfo) ?? [];
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: report?.header?.glibcVersionRuntime,
    cpuFlags: flags === undefined ? undefined : new Set(flags.split(" ")),
  };
}

// Implementation

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split(".").map(Number);
  return a < major || (a === major && b < minor);
}
