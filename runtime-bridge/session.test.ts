/** Sessions against a real worker: `npm run jest -- runtime-bridge/session.test.ts`. */
import { EventEmitter } from "node:events";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Executable, hostTensor, toFloat32Array, Worker, WorkerError } from "./index.ts";
import type { Link } from "./link/link.ts";
import { Session } from "./session.ts";
import { addText, spinText } from "./test-programs.ts";
import "../tests/support/needs-python.ts";

let worker: Worker;
let add: Executable;
let addDonating: Executable;

beforeAll(async () => {
  worker = await Worker.launch({ cacheDir: null });
  [add, addDonating] = await Promise.all([worker.compile(addText(2)), worker.compile(addText(2, true))]);
});

afterAll(() => worker.close());

const pair = (a: number, b: number) => hostTensor("f32", [2], [a, b]);
const values = (
  tensors: readonly { readonly data: Uint8Array; readonly dtype: "f32" | string; readonly shape: readonly number[] }[],
) => tensors.map((tensor) => [...toFloat32Array(tensor as Parameters<typeof toFloat32Array>[0])]);

test("state stays in slots, is donated, and each step sends only what is asked for", async () => {
  await using session = worker.session();
  session.store(3, pair(1, 2));
  const call = session.define({ executable: addDonating, arguments: [{ slot: 3 }, { input: 0 }], results: [3] });
  expect((await session.step(call, [pair(1, 1)])).tensors).toEqual([]);
  const { tensors, executeSeconds } = await session.step(call, [pair(1, 1)], { fetch: [0] });
  expect(values(tensors)).toEqual([[3, 4]]);
  expect(executeSeconds).toBeGreaterThan(0);
  expect(values([await session.fetch(3)])).toEqual([[3, 4]]);
});

test("steps sent together are answered in order", async () => {
  await using session = worker.session();
  session.store(0, pair(0, 0));
  const call = session.define({ executable: add, arguments: [{ slot: 0 }, { input: 0 }], results: [0] });
  const answers = await Promise.all(Array.from({ length: 50 }, () => session.step(call, [pair(1, 2)], { fetch: [0] })));
  expect(answers.map(({ tensors }) => toFloat32Array(tensors[0]!)[1])).toEqual(
    Array.from({ length: 50 }, (_, i) => 2 * (i + 1)),
  );
});

test("all writes that wait for the connection share one listener", async () => {
  const stream = Object.assign(new EventEmitter(), {
    write: () => false,
    end: () => stream.emit("status", { code: 0 }),
    cancel: () => {},
    pause: () => {},
    resume: () => {},
    isPaused: () => false,
  });
  const link = { openSession: () => stream, check: () => {}, explain: async (error: unknown) => error };
  const session = new Session(link as unknown as Link, worker, () => {});
  const stored = Array.from({ length: 300 }, (_, slot) => session.store(slot, pair(0, 0)));
  expect(stream.listenerCount("drain")).toBe(1);
  stream.emit("drain");
  await Promise.all(stored);
  const later = session.store(0, pair(0, 0));
  expect(stream.listenerCount("drain")).toBe(1);
  await session.close();
  await later;
});

test("a repeated step gives each run as it comes", async () => {
  await using session = worker.session();
  session.store(0, pair(0, 0));
  const call = session.define({ executable: add, arguments: [{ slot: 0 }, { input: 0 }], results: [0] });
  const seen: number[][] = [];
  for await (const { iteration, tensors } of session.steps(call, [pair(1, 0)], { repeat: 4, fetch: [0] })) {
    seen.push([iteration, toFloat32Array(tensors[0]!)[0]!]);
  }
  expect(seen).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
  ]);
  expect(() => session.steps(call, [], { repeat: 0 })).toThrowErrorMatchingInlineSnapshot(
    `"a call runs at least once; repeat is 0"`,
  );
});

test("leaving a repeated step early leaves the session usable", async () => {
  await using session = worker.session();
  session.store(0, pair(0, 0));
  const call = session.define({ executable: add, arguments: [{ slot: 0 }, { input: 0 }], results: [0] });
  for await (const _ of session.steps(call, [pair(1, 0)], { repeat: 10, fetch: [0] })) break;
  expect(values([await session.fetch(0)])).toEqual([[10, 0]]);
});

test("a weight lies outside the session, and a stored buffer becomes the session's", async () => {
  await using session = worker.session();
  using weight = await worker.upload(pair(10, 20));
  const state = await worker.upload(pair(1, 2));
  session.store(0, state);
  expect(state.alive).toBe(false);
  const call = session.define({ executable: add, arguments: [{ slot: 0 }, weight], results: [undefined] });
  expect(values((await session.step(call, [], { fetch: [0] })).tensors)).toEqual([[11, 22]]);
  expect(weight.alive).toBe(true);
});

test("a refused step changes nothing and the session goes on", async () => {
  await using session = worker.session();
  session.store(0, pair(1, 2));
  const call = session.define({ executable: add, arguments: [{ slot: 0 }, { input: 0 }], results: [0] });
  const refused = session.step(call, [hostTensor("f32", [3], [1, 2, 3])], { fetch: [0] });
  const next = session.step(call, [pair(1, 1)], { fetch: [0] });
  await expect(refused).rejects.toMatchObject({ code: "ARGUMENT_MISMATCH", exitCode: 2 });
  expect(values((await next).tensors)).toEqual([[2, 3]]);
  await expect(session.fetch(9)).rejects.toMatchObject({ code: "SLOT_EMPTY" });
});

test("a refused store ends the session: what was sent after it and later steps get its error", async () => {
  await using session = worker.session();
  session.store(70_000, pair(1, 2));
  const call = session.define({ executable: add, arguments: [{ input: 0 }, { input: 0 }], results: [undefined] });
  const refusal = await session.step(call, [pair(1, 1)]).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(WorkerError);
  expect((refusal as Error).message).toContain("65536");
  await expect(session.fetch(0)).rejects.toBe(refusal);
  await expect(session.store(1, pair(1, 2))).rejects.toBe(refusal);
});

test("a call is wired with as many arguments and results as the program has, and used in its own session", async () => {
  await using session = worker.session();
  await using other = worker.session();
  expect(() =>
    session.define({ executable: add, arguments: [{ input: 0 }], results: [0] }),
  ).toThrowErrorMatchingInlineSnapshot(`"'x-910c14eb6545af95157a27f4' has 2 arguments; 1 are wired"`);
  const call = session.define({ executable: add, arguments: [{ input: 0 }, { input: 0 }], results: [0] });
  await expect(other.step(call, [pair(1, 1)])).rejects.toThrowErrorMatchingInlineSnapshot(
    `"call 0 was defined in another session"`,
  );
});

test("a tensor of many megabytes is stored in pieces", async () => {
  const size = 3_000_000;
  const large = await worker.compile(addText(size));
  await using session = worker.session();
  await session.store(0, hostTensor("f32", [size], new Float32Array(size).fill(1.5)));
  const call = session.define({ executable: large, arguments: [{ slot: 0 }, { slot: 0 }], results: [0] });
  const { tensors } = await session.step(call, [], { fetch: [0] });
  expect(toFloat32Array(tensors[0]!)[size - 1]).toBe(3);
});

test("a reader that is slow holds the worker back, and a later step still gets through", async () => {
  const size = 1_000_000;
  const large = await worker.compile(addText(size));
  await using session = worker.session();
  await session.store(0, hostTensor("f32", [size], new Float32Array(size).fill(1)));
  const call = session.define({ executable: large, arguments: [{ slot: 0 }, { slot: 0 }], results: [undefined] });
  const reader = session.steps(call, [], { repeat: 60, fetch: [0] })[Symbol.asyncIterator]();
  expect((await reader.next()).value.iteration).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const held = process.memoryUsage().arrayBuffers;
  expect(held).toBeLessThan(200e6);
  expect((await session.step(call, [], { fetch: [] })).iteration).toBe(0);
  let last = 0;
  for (let item = await reader.next(); !item.done; item = await reader.next()) last = item.value.iteration;
  expect(last).toBe(59);
});

test("answers that are no longer read are released, also before their first step", async () => {
  const size = 1_000_000;
  const large = await worker.compile(addText(size));
  await using session = worker.session();
  await session.store(0, hostTensor("f32", [size], new Float32Array(size).fill(1)));
  const call = session.define({ executable: large, arguments: [{ slot: 0 }, { slot: 0 }], results: [undefined] });
  const left = session.steps(call, [], { repeat: 100, fetch: [0] })[Symbol.asyncIterator]();
  await left.return?.();
  await expect(left.next()).rejects.toMatchObject({ code: "NOT_READ" });
  // All 100 have come when the next one's answer has; 400 MB that nobody holds would hold up the stream for good.
  const { elapsedSeconds, executeSeconds } = await session.step(call, [], { fetch: [] });
  expect(elapsedSeconds).toBeGreaterThan(executeSeconds);
  const more = session.steps(call, [], { repeat: 3, fetch: [0] })[Symbol.asyncIterator]();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await more.next()).value.iteration).toBe(0);
});

test("a signal ends the waiting for a step, and the session goes on", async () => {
  const spin = await worker.compile(spinText);
  await using session = worker.session();
  const call = session.define({ executable: spin, arguments: [{ input: 0 }], results: [0] });
  const reason = new Error("enough");
  const controller = new AbortController();
  const running = session.step(call, [hostTensor("i64", [], [200_000_000])], { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  await expect(running).rejects.toBe(reason);
  expect((await session.step(call, [hostTensor("i64", [], [1])], { fetch: [0] })).tensors).toHaveLength(1);
});

test("a step that outlasts its deadline ends the session and says so", async () => {
  const spin = await worker.compile(spinText);
  await using session = worker.session();
  const call = session.define({ executable: spin, arguments: [{ input: 0 }], results: [0] });
  const late = session.step(call, [hostTensor("i64", [], [300_000_000])], { deadlineMs: 50 });
  await expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", exitCode: 1 });
  await expect(session.fetch(0)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
});

test("a closed session answers what was sent, releases its slots, and refuses more", async () => {
  await worker.release([]);
  const before = (await worker.info()).buffers;
  const session = worker.session();
  session.store(0, pair(1, 2));
  const call = session.define({ executable: add, arguments: [{ slot: 0 }, { slot: 0 }], results: [0] });
  const sent = session.step(call, [], { fetch: [0] });
  await session.close();
  expect(values((await sent).tensors)).toEqual([[2, 4]]);
  await expect(session.step(call)).rejects.toMatchObject({ code: "SESSION_ENDED" });
  expect((await worker.info()).buffers).toBe(before);
});
