/** What each check says of machines that are not this one, and the whole on this one. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { runCli, temporaryFolder } from "../../tests/support/cli.ts";
import { exhaustive } from "../../tests/support/exhaustive.ts";
import { onTestWorker } from "../../tests/support/worker.ts";
import type { Check } from "./check.ts";
import { guarded } from "./check.ts";
import { checkEnvironment, checkNode, checkPackages, checkPlugins } from "./installation.ts";
import { checkDisk, checkLimits, checkMemory, checkSharedMemory, checkWritable } from "./machine.ts";
import { checkPlatform, type System } from "./platform.ts";
import { checkDevices } from "./worker.ts";

const tested: System = { platform: "linux", arch: "x64", glibc: "2.36", cpuFlags: new Set(["avx", "avx2"]) };
const statuses = (checks: readonly Check[]) => checks.map(({ status }) => status);

describe("platform", () => {
  test.each<[string, Partial<System>, string, RegExp]>([
    ["where the tests run", {}, "ok", /where the tests run/],
    ["arm64 Linux", { arch: "arm64", cpuFlags: undefined }, "warn", /linux arm64, glibc 2\.36/],
    ["a Mac of today", { platform: "darwin", arch: "arm64", glibc: undefined }, "warn", /darwin arm64/],
    ["a Mac with Intel", { platform: "darwin", glibc: undefined }, "fail", /darwin x64/],
    ["Windows", { platform: "win32", glibc: undefined }, "fail", /win32 x64/],
    ["Alpine", { glibc: undefined }, "fail", /without GNU's C library/],
    ["an old Linux", { glibc: "2.17" }, "fail", /glibc 2\.17/],
    ["a processor without AVX", { cpuFlags: new Set(["sse2"]) }, "fail", /without AVX/],
    ["RISC-V", { arch: "riscv64" }, "fail", /linux riscv64/],
  ])("judges %s", (_, changes, status, found) => {
    const check = checkPlatform({ ...tested, ...changes });
    expect(check).toMatchObject({ status, found: expect.stringMatching(found) });
    if (status !== "ok") expect(check.hint).toMatch(/\w/);
  });
});

describe("installation", () => {
  test("wants Node 20", () => {
    expect(statuses([checkNode("18.20.1"), checkNode("20.0.0"), checkNode("24.1.0")])).toEqual(["fail", "ok", "ok"]);
  });

  test("names packages that are missing or of another version", () => {
    const pinned = { jax: "0.12.0.1", numpy: "2.5.5" };
    expect(checkPackages("python packages", pinned, { ...pinned, other: "1" })).toMatchObject({ status: "ok" });
    expect(checkPackages("python packages", pinned, { numpy: "2.4.0" })).toEqual({
      name: "python packages",
      status: "fail",
      found: "jax missing instead of 0.12.0.1, numpy 2.4.0 instead of 2.5.5",
      hint: "npm run setup",
    });
  });

  test("misses a plug-in only where there is a device for it", () => {
    const none = { nvidia: false, tpu: false };
    expect(statuses(checkPlugins({ jax: "0.12.0.1" }, none))).toEqual(["ok", "ok"]);
    const [cuda, tpu] = checkPlugins({ jax: "0.12.0.1" }, { nvidia: true, tpu: true });
    expect(cuda).toMatchObject({ status: "warn", hint: expect.stringContaining("jax-cuda13-plugin==0.12.0.1") });
    expect(tpu).toMatchObject({ status: "warn", hint: expect.stringContaining("jax[tpu]==0.12.0.1") });
    const there = checkPlugins({ "jax-cuda13-plugin": "0.12.0.1", libtpu: "0.0.50.1" }, { nvidia: true, tpu: true });
    expect(statuses(there)).toEqual(["ok", "ok"]);
  });

  test("says which variables change what XLA does", () => {
    expect(checkEnvironment({ PATH: "/bin", XLA_FLAGS: "" })).toMatchObject({ status: "ok" });
    const flags = { XLA_FLAGS: "--xla_dump_to=/tmp", JAX_PLATFORMS: "cpu" };
    expect(checkEnvironment(flags)).toMatchObject({
      status: "warn",
      found: "XLA_FLAGS=--xla_dump_to=/tmp JAX_PLATFORMS=cpu",
    });
  });
});

describe("machine", () => {
  test("warns of little memory and disk, and fails with none", () => {
    expect(statuses([checkMemory(16e9, 8e9, 4), checkMemory(16e9, 1e9, 4)])).toEqual(["ok", "warn"]);
    expect(statuses([5e9, 1e9, 1e6].map((free) => checkDisk("/cache", free)))).toEqual(["ok", "warn", "fail"]);
  });

  test("warns of limits that XLA or a checkpoint meets", () => {
    const free = { openFiles: 20_000, processes: undefined, addressSpace: undefined };
    expect(checkLimits(free)).toMatchObject({
      status: "ok",
      found: "20000 open files, unlimited processes, unlimited address space",
    });
    expect(checkLimits({ ...free, openFiles: 256 }).hint).toMatch(/ulimit -n/);
    expect(checkLimits({ ...free, processes: 100 }).hint).toMatch(/ulimit -u/);
    expect(checkLimits({ ...free, addressSpace: 4_000_000 }).hint).toMatch(/ulimit -v/);
  });

  test("warns of the 64 MB that Docker gives, on Linux alone", () => {
    expect(statuses([checkSharedMemory(8e9, "linux"), checkSharedMemory(undefined, "darwin")])).toEqual(["ok", "ok"]);
    expect(statuses([checkSharedMemory(64e6, "linux"), checkSharedMemory(undefined, "linux")])).toEqual([
      "warn",
      "warn",
    ]);
  });

  test("writes where compiled programs are kept, or says that it cannot", async () => {
    const folder = await temporaryFolder();
    expect(await checkWritable(join(folder, "new", "cache"))).toMatchObject({ status: "ok" });
    await writeFile(join(folder, "file"), "");
    expect(await checkWritable(join(folder, "file"))).toMatchObject({
      status: "warn",
      found: expect.stringContaining("EEXIST"),
    });
  });
});

test("devices are listed with their memory, and no device is a failure", () => {
  const one = { id: 0, kind: "NVIDIA H100 80GB HBM3", memoryBytes: 85e9 };
  expect(checkDevices({ platform: "cuda", devices: [one], residentBytes: 1e9 })).toMatchObject({
    status: "ok",
    found: "cuda: NVIDIA H100 80GB HBM3 (85.00 GB); the process holds 1.00 GB",
  });
  expect(checkDevices({ platform: "cuda", devices: [], residentBytes: 1e9 })).toMatchObject({ status: "fail" });
});

test("a check that breaks is a line like others", async () => {
  const broken = await guarded("machine", async () => {
    throw new Error("no such thing");
  });
  expect(broken).toEqual([expect.objectContaining({ name: "machine", status: "fail", found: "no such thing" })]);
});

describe("doctor", () => {
  test("finds everything in place here, with a worker that computes, and ends with 0", async () => {
    const { code, stdout } = await runCli(["doctor", "--json", ...(await onTestWorker())]);
    const found = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
    expect(found.checks.filter(({ status }) => status === "fail")).toEqual([]);
    expect({ code, ok: found.ok }).toEqual({ code: 0, ok: true });
    expect(found.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["node", "python", "python packages", "platform", "memory", "disk", "worker", "devices"]),
    );
    expect(found.checks.find(({ name }) => name === "a program")?.found).toMatch(/a product of matrices is right/);
  });

  test(exhaustive("ends with 1 where no worker answers, and still says the rest"), async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "none"));
    const { code, stdout } = await runCli(["doctor", "--worker", `unix:${join(folder, "none/s")}`], {
      XLA_FLAGS: "--xla_cpu_enable_fast_math=false",
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok {4}python packages/m);
    expect(stdout).toMatch(/^warn {2}environment {9}XLA_FLAGS=--xla_cpu_enable_fast_math=false\n +→ programs may be/m);
    expect(stdout).toMatch(/^fail {2}worker {14}no worker answers at unix:/m);
    expect(stdout).toMatch(/^1 of these keep tsxla from working/m);
  });
});
