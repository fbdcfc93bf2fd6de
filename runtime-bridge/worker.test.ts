/** The bridge against a real worker: `npm run jest -- runtime-bridge/worker.test.ts`. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Program } from "../compiler/program.ts";
import { type DeviceBuffer, hostTensor, toFloat32Array, Worker, WorkerError, WorkerUnavailable } from "./index.ts";
import { addText, safetensors, slowToCompileText, spinText } from "./test-programs.ts";
import "../tests/support/needs-python.ts";

let folder: string;
let worker: Worker;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bridge-test-"));
  worker = await Worker.launch({ root: folder, cacheDir: null });
});

afterAll(async () => {
  await worker.close();
  await rm(folder, { recursive: true });
});

const ramp = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => i % 1000);
const failure = async (work: Promise<unknown>): Promise<WorkerError> => {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(WorkerError);
  return error as WorkerError;
};

test("a worker describes itself", async () => {
  expect(await worker.info()).toMatchObject({
    platform: "cpu",
    devices: [{ id: 0, kind: "cpu" }],
    processId: worker.processId,
    root: folder,
    cacheDir: "",
  });
});

test("a module comes back as MLIR prints it", async () => {
  expect(await worker.formatModule("module @m { func.func @f() { return } }")).toBe(
    "module @m {\n  func.func @f() {\n    return\n  }\n}\n",
  );
});

test("the same text compiles to the same executable, the second time from the cache", async () => {
  const first = await worker.compile(addText(3));
  expect(first).toMatchObject({ arguments: [{ dtype: "f32", shape: [3] }, {}], results: [{}], fromCache: false });
  expect(await worker.compile(addText(3))).toMatchObject({ id: first.id, fromCache: true });
});

test("a program whose signature the worker contradicts is refused with both sides", async () => {
  const value = (name: string, size: number) => ({ name, dtype: "f32", axes: ["embed"], shape: [size] }) as const;
  const program: Program = {
    name: "add",
    text: addText(3),
    signature: { arguments: [value("x", 3), value("weights.bias", 4)], results: [value("sum", 3)] },
  };
  await expect(worker.compile(program)).rejects.toThrowErrorMatchingInlineSnapshot(`
"the program 'add' and the worker that compiled it disagree about its argument 'weights.bias'
  program  f32[4]
  worker   f32[3]"
`);
});

test("arguments are taken by value and by buffer, results given by value and as buffers", async () => {
  const add = await worker.compile(addText(3));
  const one = hostTensor("f32", [3], [1, 2, 3]);
  using buffer = await worker.upload(hostTensor("f32", [3], [10, 20, 30]));
  const { results, executeSeconds } = await worker.execute(add, [one, buffer], { fetch: "all" });
  expect([...toFloat32Array(results[0]!)]).toEqual([11, 22, 33]);
  expect(executeSeconds).toBeGreaterThan(0);
  const kept = (await worker.execute(add, [buffer, buffer])).results[0]!;
  expect([...toFloat32Array(await worker.download(kept))]).toEqual([20, 40, 60]);
  kept.release();
});

test("a tensor of many chunks goes up and comes down unharmed", async () => {
  const size = 5_000_003;
  const values = ramp(size);
  using buffer = await worker.upload(hostTensor("f32", [size], values));
  const back = await worker.download(buffer);
  expect(Buffer.compare(back.data, new Uint8Array(values.buffer))).toBe(0);
});

test("arguments too large for one message are uploaded for the call and freed after it", async () => {
  const size = 3_000_000;
  const add = await worker.compile(addText(size));
  await worker.release([]);
  const before = (await worker.info()).buffers;
  const values = hostTensor("f32", [size], ramp(size));
  const { results } = await worker.execute(add, [values, values], { fetch: "all" });
  expect(toFloat32Array(results[0]!)[size - 1]).toBe(2 * ((size - 1) % 1000));
  await worker.release([]);
  expect((await worker.info()).buffers).toBe(before);
});

test("an empty tensor goes up and comes down", async () => {
  using buffer = await worker.upload(hostTensor("f32", [0, 4], []));
  expect(await worker.download(buffer)).toMatchObject({ shape: [0, 4], data: { length: 0 } });
});

test("a donated buffer is used up at once, and not when the call was refused", async () => {
  const add = await worker.compile(addText(2, true));
  expect([...add.donated]).toEqual([0]);
  const a = await worker.upload(hostTensor("f32", [2], [1, 2]));
  await failure(worker.execute(add, [a, hostTensor("f32", [3], [1, 2, 3])]));
  expect(a.alive).toBe(true);
  const running = worker.execute(add, [a, hostTensor("f32", [2], [1, 1])], { fetch: "all" });
  expect(a.alive).toBe(false);
  await expect(worker.download(a)).rejects.toThrowErrorMatchingInlineSnapshot(`"the buffer f32[2] was donated"`);
  expect([...toFloat32Array((await running).results[0]!)]).toEqual([2, 3]);
});

test("a released buffer is refused before any call, and its memory is free", async () => {
  let kept: DeviceBuffer;
  await worker.release([]);
  const before = (await worker.info()).buffers;
  {
    using buffer = await worker.upload(hostTensor("f32", [2], [1, 2]));
    kept = buffer;
    expect((await worker.info()).buffers).toBe(before + 1);
  }
  await expect(worker.download(kept)).rejects.toThrowErrorMatchingInlineSnapshot(`"the buffer f32[2] was released"`);
  await worker.release([kept]);
  expect((await worker.info()).buffers).toBe(before);
});

test("an invalid module is refused with its place, and the location that the operation carries", async () => {
  const text = addText(2).replace(
    "stablehlo.add %arg0, %arg1 : tensor<2xf32>",
    'stablehlo.add %arg0, %arg1 : tensor<3xf32> loc("models/llama.ts":41:3)',
  );
  const error = await failure(worker.compile(text));
  expect(error).toMatchObject({ code: "MODULE_INVALID", exitCode: 2, status: "INVALID_ARGUMENT" });
  expect(error.place.line).toBe(3);
});

test("a wrong argument is refused by name", async () => {
  const add = await worker.compile(addText(2));
  const error = await failure(worker.execute(add, [hostTensor("f32", [2], [1, 2]), hostTensor("i32", [2], [1, 2])]));
  expect(error).toMatchObject({
    code: "ARGUMENT_MISMATCH",
    metadata: { index: "1", found: "i32[2]", wanted: "f32[2]" },
  });
});

test("the reference interpreter gives the same sum and donates nothing", async () => {
  const add = await worker.compile(addText(2, true), { engine: "reference" });
  using a = await worker.upload(hostTensor("f32", [2], [1, 2]));
  const { results } = await worker.execute(add, [a, a], { fetch: "all" });
  expect([...toFloat32Array(results[0]!)]).toEqual([2, 4]);
  expect(a.alive).toBe(true);
});

test("the optimised module comes when it is asked for", async () => {
  expect((await worker.compile(addText(5))).optimizedHlo).toBeUndefined();
  expect((await worker.compile(addText(5), { returnOptimizedHlo: true })).optimizedHlo).toContain("HloModule");
});

test("a checkpoint is described, read beside, and loaded with progress", async () => {
  await writeFile(
    join(folder, "model.safetensors"),
    safetensors({ a: { shape: [2], values: [1, 2] }, b: { shape: [2], values: [30, 40] } }),
  );
  await writeFile(join(folder, "config.json"), '{"x": 1}');
  const checkpoint = await worker.openCheckpoint("model.safetensors");
  expect(checkpoint.container).toBe("safetensors");
  expect([...checkpoint.tensors.keys()]).toEqual(["a", "b"]);
  expect(checkpoint.tensors.get("b")).toMatchObject({ type: { dtype: "f32", shape: [2] }, format: "F32", bytes: 8 });
  expect(Buffer.from(await worker.readFile("config.json")).toString()).toBe('{"x": 1}');
  const add = await worker.compile(addText(2));
  const progress: number[] = [];
  const [sum, plain] = await worker.load(checkpoint, [{ executable: add, tensors: ["a", "b"] }, { tensors: ["b"] }], {
    onProgress: ({ bytesDone, bytesTotal }) => progress.push(bytesDone / bytesTotal),
  });
  expect([...toFloat32Array(await worker.download(sum![0]!))]).toEqual([31, 42]);
  expect([...toFloat32Array(await worker.download(plain![0]!))]).toEqual([30, 40]);
  expect(progress.at(-1)).toBe(1);
});

test("a path outside the root, a missing one and a broken file are refused, each for its reason", async () => {
  expect(await failure(worker.openCheckpoint("../x.gguf"))).toMatchObject({ code: "PATH_OUTSIDE_ROOT", exitCode: 2 });
  expect(await failure(worker.openCheckpoint("nothing.gguf"))).toMatchObject({ code: "PATH_NOT_FOUND", exitCode: 2 });
  await writeFile(
    join(folder, "broken.safetensors"),
    safetensors({ a: { shape: [2], values: [1, 2] } }).subarray(0, 20),
  );
  expect(await failure(worker.openCheckpoint("broken.safetensors"))).toMatchObject({
    code: "CHECKPOINT_INVALID",
    exitCode: 2,
  });
});

test("a load that fails leaves no buffer", async () => {
  await writeFile(join(folder, "two.safetensors"), safetensors({ a: { shape: [2], values: [1, 2] } }));
  const checkpoint = await worker.openCheckpoint("two.safetensors");
  const before = (await worker.info()).buffers;
  const error = await failure(worker.load(checkpoint, [{ tensors: ["a"] }, { tensors: ["gone"] }]));
  expect(error).toMatchObject({ code: "TENSOR_NOT_FOUND", exitCode: 2 });
  expect((await worker.info()).buffers).toBe(before);
});

test("a signal ends a call with its own reason, before it and during it", async () => {
  const spin = await worker.compile(spinText);
  const reason = new Error("enough");
  await expect(worker.info({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const running = worker.execute(spin, [hostTensor("i64", [], [1_000_000_000])], { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  await expect(running).rejects.toBe(reason);
});

test("a deadline ends a call and says how long it was", async () => {
  const error = await failure(worker.compile(slowToCompileText(150), { deadlineMs: 100 }));
  expect(error).toMatchObject({ status: "DEADLINE_EXCEEDED", exitCode: 1 });
  expect(error.message).toBe(`the worker at ${worker.address} did not answer within 0.1 s`);
});

test("a second client on the same socket needs the token", async () => {
  const error = await failure(Worker.connect(worker.address, { token: "guess" }));
  expect(error).toMatchObject({ status: "UNAUTHENTICATED", exitCode: 2 });
});

test("buffers of one worker are refused by another", async () => {
  await using other = await Worker.launch({ cacheDir: null });
  using buffer = await worker.upload(hostTensor("f32", [1], [1]));
  await expect(other.download(buffer)).rejects.toThrowErrorMatchingInlineSnapshot(
    `"the buffer f32[1] belongs to another worker: download it there and upload it here"`,
  );
});

test("an address without a worker is an error that says what to check", async () => {
  const missing = Worker.connect("unix:/nowhere/w.sock", { timeoutMs: 300 });
  await expect(missing).rejects.toBeInstanceOf(WorkerUnavailable);
  await expect(missing).rejects.toThrowErrorMatchingInlineSnapshot(
    `"no worker answers at unix:/nowhere/w.sock (waited 0.3 s): is a worker running there, and may this user open the socket?"`,
  );
  await expect(Worker.connect("127.0.0.1:9", { timeoutMs: 300 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `"no worker answers at 127.0.0.1:9 (waited 0.3 s): is a worker running there, and does it not use TLS?"`,
  );
});

test("a token is not sent in clear to another machine", async () => {
  await expect(Worker.connect("worker.example:8470", { token: "secret" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `"a token would travel to worker.example:8470 in clear: use grpcs://, or a tunnel that ends on this machine"`,
  );
});
