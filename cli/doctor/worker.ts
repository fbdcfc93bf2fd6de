/** Whether a worker starts, what devices it has, and whether what it computes is right. */

import { formatBytes } from "../../planning/format-bytes.ts";
import type { Worker, WorkerInfo } from "../../runtime-bridge/index.ts";
import { hostTensor, toFloat32Array } from "../../runtime-bridge/index.ts";
import { type Check, fail, ok } from "./check.ts";

// Public API

/**
 * Asks a worker.
 *
 * @param open  starts or reaches it
 */
export async function checkWorker(open: () => Promise<Worker>): Promise<readonly Check[]> {
  const started = performance.now();
  let worker: Worker;
  try {
    worker = await open();
  } catch (error) {
    return [
      fail("worker", (error as Error).message, "the lines above this one may say why; the worker's log is named here"),
    ];
  }
  await using _ = worker;
  const info = await worker.info();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const checks = [
    ok(
      "worker",
      `answers at ${worker.address} after ${seconds} s: jax ${info.jaxVersion}, Python ${info.pythonVersion}`,
    ),
    checkDevices(info),
  ];
  try {
    checks.push(await checkProgram(worker));
  } catch (error) {
    checks.push(
      fail("a program", (error as Error).message, "XLA does not work here: please report it with this output"),
    );
  }
  return checks;
}

/** Says what there is. */
export function checkDevices({
  platform,
  devices,
  residentBytes,
}: Pick<WorkerInfo, "platform" | "devices" | "residentBytes">): Check {
  const kinds = devices.map(({ kind, memoryBytes }) =>
    memoryBytes > 0 ? `${kind} (${formatBytes(memoryBytes)})` : kind,
  );
  const found = `${platform}: ${kinds.join(", ")}; the process holds ${formatBytes(residentBytes)}`;
  return devices.length === 0
    ? fail("devices", platform, "JAX finds no device: see the plug-ins above")
    : ok("devices", found);
}

// Implementation

/** Products of small whole numbers are exact in every element type that a device multiplies in. */
const a = [1, 2, 3, 4, 5, 6];
const text = `module @doctor {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<3x2xf32>) -> tensor<2x2xf32> {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
    return %0 : tensor<2x2xf32>
  }
}
`;
const wanted = [22, 28, 49, 64];

async function checkProgram(worker: Worker): Promise<Check> {
  const executable = await worker.compile(text);
  const given = [hostTensor("f32", [2, 3], a), hostTensor("f32", [3, 2], a)];
  const { results } = await worker.execute(executable, given, { fetch: "all" });
  const found = [...toFloat32Array(results[0] as (typeof results)[number])];
  if (found.join() !== wanted.join()) {
    return fail(
      "a program",
      `a product of matrices gave ${found.join(", ")} in place of ${wanted.join(", ")}`,
      "this device computes wrongly: please report it",
    );
  }
  const how = executable.fromCache ? "from the compile cache" : `compiled in ${executable.compileSeconds.toFixed(2)} s`;
  return ok("a program", `a product of matrices is right, ${how}`);
}
