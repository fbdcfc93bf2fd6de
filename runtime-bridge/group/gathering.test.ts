/** The answers of several hosts to one request, with hosts that are promises. */
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { WorkerError, WorkerLost } from "../errors.ts";
import { type GatherJudge, type GatherRules, gather } from "./gathering.ts";
import { causeOfLoss, peerLostExit, type Suspect } from "./host-loss.ts";

const refusal = (reason: string, message: string): WorkerError =>
  new WorkerError({ status: "INTERNAL", reason, message });

class Judge implements GatherJudge {
  readonly said: string[] = [];
  readonly #listeners = new Set<(error: WorkerLost) => void>();

  whenLost(lose: (error: WorkerLost) => void): () => void {
    this.#listeners.add(lose);
    return () => this.#listeners.delete(lose);
  }
  onLost(index: number, error: WorkerLost): void {
    this.said.push(`host ${index} lost`);
    for (const lose of this.#listeners) lose(error);
  }
  onDiverged(index: number, how: string): void {
    this.onLost(index, new WorkerLost({ address: `address-${index}`, how }));
  }
  describe(index: number): string {
    return `host ${index}`;
  }
}

/** A host that answers when it is told to. */
function host<T>() {
  let answer!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    answer = resolve;
    fail = reject;
  });
  return { promise, answer, fail };
}

function asked(rules: GatherRules<number>, options = {}) {
  const judge = new Judge();
  const hosts = [host<number>(), host<number>()] as const;
  const all = gather(
    hosts.map(({ promise }) => promise),
    judge,
    rules,
    options,
  );
  all.catch(() => {});
  return { judge, hosts, all };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test("all answers come in the order of the hosts", async () => {
  const { hosts, all } = asked({ inStep: true });
  hosts[1].answer(11);
  hosts[0].answer(10);
  expect(await all).toEqual([10, 11]);
});

test("what all refuse alike is one refusal, as it would be of one worker", async () => {
  const { hosts, all, judge } = asked({ inStep: true });
  const errors = [refusal("SLOT_EMPTY", "Slot 7 is empty."), refusal("SLOT_EMPTY", "Slot 7 is empty.")];
  hosts[1].fail(errors[1]);
  hosts[0].fail(errors[0]);
  await expect(all).rejects.toBe(errors[0]);
  expect(judge.said).toEqual([]);
});

test("a host that fails alone out of step is named, and what the others made is given back", async () => {
  const unused: number[] = [];
  const { hosts, all, judge } = asked({ inStep: false, onUnused: (of) => unused.push(...of) });
  hosts[1].fail(refusal("CHECKPOINT_INVALID", "x: it has been cut off."));
  hosts[0].answer(10);
  await expect(all).rejects.toMatchObject({ code: "CHECKPOINT_INVALID", message: "host 1: x: it has been cut off." });
  expect(unused).toEqual([10]);
  expect(judge.said).toEqual([]);
});

test("a host that fails alone in step ends the group", async () => {
  const { hosts, all, judge } = asked({ inStep: true });
  hosts[0].answer(10);
  hosts[1].fail(refusal("EXECUTION_FAILED", "no memory"));
  await expect(all).rejects.toThrow("it failed where the others did not, and is out of step: no memory");
  expect(judge.said).toEqual(["host 1 lost"]);
});

test("the error of a host whose peer is lost is not the group's", async () => {
  const { hosts, all, judge } = asked({ inStep: true });
  hosts[0].fail(refusal("EXECUTION_FAILED", "Gloo all-reduce failed: Connection reset by peer"));
  await jest.advanceTimersByTimeAsync(2_000);
  hosts[1].fail(new WorkerLost({ address: "b", how: "the connection broke" }));
  await expect(all).rejects.toThrow("the worker at b was lost: the connection broke");
  expect(judge.said).toEqual(["host 1 lost"]);
});

test("a host that does not answer long after the others ends the group; a slow one that keeps pace does not", async () => {
  const late = asked({ inStep: true });
  late.hosts[0].answer(10);
  await jest.advanceTimersByTimeAsync(9_900);
  expect(late.judge.said).toEqual([]);
  await jest.advanceTimersByTimeAsync(200);
  await expect(late.all).rejects.toThrow("was lost: it has not answered long after the others did");
  expect(late.judge.said).toEqual(["host 1 lost"]);

  const slow = asked({ inStep: true });
  await jest.advanceTimersByTimeAsync(60_000);
  slow.hosts[0].answer(10);
  await jest.advanceTimersByTimeAsync(50_000);
  slow.hosts[1].answer(11);
  expect(await slow.all).toEqual([10, 11]);
});

test.each([
  ["a signal", { signal: undefined }, "enough"],
  ["a deadline", { deadlineMs: 1_000 }, "the group did not answer within 1 s"],
])("%s ends the waiting, not the work, whose results are given back", async (_, options, text) => {
  const unused: number[] = [];
  const leaving = new AbortController();
  const given = "signal" in options ? { signal: leaving.signal } : options;
  const { hosts, all, judge } = asked({ inStep: true, onUnused: (of) => unused.push(...of) }, given);
  if ("signal" in options) leaving.abort(new Error("enough"));
  await jest.advanceTimersByTimeAsync(1_001);
  await expect(all).rejects.toThrow(text);
  for (const [n, { answer }] of hosts.entries()) answer(n);
  await jest.advanceTimersByTimeAsync(1);
  expect(unused).toEqual([0, 1]);
  expect(judge.said).toEqual([]);
});

test("other hosts are told to stop when one fails, and their stopping is not the error", async () => {
  const stopped = new WorkerError({ status: "CANCELLED", reason: "CANCELLED", message: "another host has failed" });
  const { hosts, all } = asked({ inStep: false, onFailure: () => hosts[0].fail(stopped) });
  hosts[1].fail(refusal("TENSOR_NOT_FOUND", "no such tensor"));
  await expect(all).rejects.toThrow("host 1: no such tensor");
});

const suspect = (index: number, exitCode: number | undefined, silentMs = 0): Suspect => ({
  index,
  ending: async () => (exitCode === undefined ? undefined : { address: "", how: `exit ${exitCode}`, exitCode }),
  silentMs: () => silentMs,
  silence: () => ({ address: "", how: "silent" }),
});

test.each([
  ["the host that went first", [suspect(0, peerLostExit), suspect(1, 137)], 1, "exit 137"],
  [
    "the host that is silent",
    [suspect(0, peerLostExit), suspect(1, undefined, 100), suspect(2, undefined, 20_000)],
    2,
    "silent",
  ],
  ["the one that was noticed, when no other shows", [suspect(0, peerLostExit), suspect(1, peerLostExit)], 0, "exit 6"],
] as const)("a loss is put down to %s", async (_, suspects, index, how) => {
  const noticed = { index: 0, loss: { address: "", how: "exit 6", exitCode: peerLostExit } };
  expect(await causeOfLoss(noticed, suspects)).toMatchObject({ index, loss: { how } });
});
