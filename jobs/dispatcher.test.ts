/** Which worker gets which request, and what becomes of both: on workers that make their answers up. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import type { JobModel } from "../openai/job-types.ts";
import { WorkerError } from "../runtime-bridge/index.ts";
import type { Answerer } from "./answerer.ts";
import type { JobItem } from "./attempt.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { ReadyWorker } from "./job-worker.ts";

/** What the made-up model does with a prompt: whom it runs beside is known. */
type Behaviour = (prompt: string, beside: readonly string[], worker: FakeWorker) => Promise<void>;

/** A worker that dies and comes back at once. */
class FakeWorker {
  readonly name: string;
  readonly rows: number;
  readonly begun: string[] = [];
  most = 0;
  deaths = 0;
  isAlive = true;
  readonly #behaviour: Behaviour;
  readonly #running = new Set<string>();

  constructor(name: string, rows: number, behaviour: Behaviour) {
    this.name = name;
    this.rows = rows;
    this.#behaviour = behaviour;
  }

  die(): void {
    this.isAlive = false;
  }

  /** Serves until the job is over. */
  async live(dispatcher: Dispatcher): Promise<void> {
    for (;;) {
      this.isAlive = true;
      this.#running.clear();
      try {
        await dispatcher.serve(this.#ready());
        return;
      } catch {
        this.deaths += 1;
        await sleep(2);
      }
    }
  }

  #ready(): ReadyWorker {
    const generate = async function* (this: FakeWorker, prompt: string) {
      this.begun.push(prompt);
      this.#running.add(prompt);
      this.most = Math.max(this.most, this.#running.size);
      try {
        await sleep(1);
        await this.#behaviour(
          prompt,
          [...this.#running].filter((each) => each !== prompt),
          this,
        );
        if (!this.isAlive) throw lost();
        yield { text: "x", token: 1, logprob: 0 };
        await sleep(1);
        if (!this.isAlive) throw lost();
      } finally {
        this.#running.delete(prompt);
      }
      return { finishReason: "stop", promptTokens: 1, reusedTokens: 0, answerTokens: 1 };
    };
    return {
      name: this.name,
      fingerprint: "fp",
      model: {} as JobModel as ReadyWorker["model"],
      answerer: { rows: this.rows, generate: generate.bind(this), close: async () => {} } as unknown as Answerer,
      check: async () => {
        if (!this.isAlive) throw lost();
      },
    };
  }
}

const lost = () => new RuntimeFailure("WORKER_LOST", "the worker was lost");

/** Runs a job of these prompts, a list being a request of several choices. */
async function run(prompts: readonly (string | readonly string[])[], workers: readonly FakeWorker[]) {
  const answered: string[] = [];
  const failed = new Map<string, { code: string; message: string }>();
  const retried: string[] = [];
  const left = prompts.map((prompt, number): JobItem => {
    const asks = [prompt].flat().map((each) => ({ prompt: each, options: {} }));
    const request = { customId: [prompt].flat()[0] as string, url: "", asks, respond: () => ({}) };
    return { number, key: "", request };
  });
  const dispatcher = new Dispatcher(async () => left.shift(), {
    onAnswer: ({ request }, answers) => {
      expect(answers).toHaveLength(request.asks.length);
      answered.push(request.customId);
    },
    onFailure: ({ request }, { code, message }) => void failed.set(request.customId, { code, message }),
    onRetry: ({ request }) => void retried.push(request.customId),
    onToken: () => {},
  });
  const lives = workers.map((worker) => worker.live(dispatcher));
  await dispatcher.run(new AbortController().signal);
  await Promise.all(lives);
  return { answered, failed, retried };
}

const many = (count: number) => Array.from({ length: count }, (_, n) => `p${n}`);
const fine: Behaviour = async () => {};

describe("requests", () => {
  test("go where rows are free, no more at once than there are, each once", async () => {
    const workers = [new FakeWorker("a", 4, fine), new FakeWorker("b", 2, fine)];
    const { answered, failed, retried } = await run(many(60), workers);
    expect([...answered].sort()).toEqual([...many(60)].sort());
    expect([failed.size, retried.length]).toEqual([0, 0]);
    expect(workers.map(({ most }) => most)).toEqual([4, 2]);
    expect(workers[0]!.begun.length).toBeGreaterThan(workers[1]!.begun.length);
  });

  test("of several choices take as many rows, and more than there are one after the other", async () => {
    const worker = new FakeWorker("a", 3, fine);
    const { answered } = await run([["n0", "n1", "n2", "n3", "n4", "n5", "n6"], "x", ["m0", "m1"], "y"], [worker]);
    expect([...answered].sort()).toEqual(["m0", "n0", "x", "y"]);
    expect(worker.most).toBe(3);
  });

  test("whose own fault it is fail at once; the others go on", async () => {
    const worker = new FakeWorker("a", 2, async (prompt) => {
      if (prompt === "p3") throw new InputError("PROMPT_TOO_LONG", "too long");
      if (prompt === "p5") throw new RuntimeFailure("LOGITS_INVALID", "NaN");
    });
    const { answered, failed, retried } = await run(many(8), [worker]);
    expect(answered).toHaveLength(6);
    expect([...failed]).toEqual([
      ["p3", { code: "PROMPT_TOO_LONG", message: "too long" }],
      ["p5", { code: "LOGITS_INVALID", message: "NaN" }],
    ]);
    expect(retried).toEqual([]);
    expect(worker.deaths).toBe(0);
  });

  test("that fail on a worker that lives are tried elsewhere, and set aside when that does not help", async () => {
    const refusal = new WorkerError({ status: "RESOURCE_EXHAUSTED", reason: "OUT_OF_MEMORY", message: "no memory" });
    const bad = new FakeWorker("bad", 1, async () => {
      throw refusal;
    });
    const good = new FakeWorker("good", 1, fine);
    const { answered, failed } = await run(["p0", "p1"], [bad, good]);
    expect([...answered].sort()).toEqual(["p0", "p1"]);
    expect(failed.size).toBe(0);
    const alone = await run(["q"], [new FakeWorker("bad", 1, async () => Promise.reject(refusal))]);
    expect(alone.failed.get("q")).toEqual({
      code: "request_failed",
      message: "the request was set aside: it failed 5 times; no memory",
    });
  }, 30_000);
});

test("a job of which nothing can be answered ends, instead of telling all its requests as failed", async () => {
  const worker = new FakeWorker("a", 4, async (_, __, self) => self.die());
  const failed: string[] = [];
  const left = many(20).map((prompt, number): JobItem => ({ number, key: "", request: request(prompt) }));
  const dispatcher = new Dispatcher(async () => left.shift(), {
    onAnswer: () => {},
    onFailure: (item) => void failed.push(item.request.customId),
    onRetry: () => {},
    onToken: () => {},
  });
  const life = worker.live(dispatcher);
  await expect(dispatcher.run(new AbortController().signal)).rejects.toMatchObject({
    code: "JOB_FAILING",
    message:
      "3 requests failed before one was answered, so something else is wrong; the last: the request was set aside: it was " +
      "running when 3 workers died, the last time alone; the worker was lost",
  });
  await life;
  expect(failed).toHaveLength(2);
});

describe("workers that die", () => {
  test("give their requests back, and those are answered once", async () => {
    const dying: Behaviour = async (_, __, worker) => {
      if (worker.begun.length % 9 === 0) worker.die();
    };
    const workers = [new FakeWorker("a", 3, dying), new FakeWorker("b", 2, fine)];
    const { answered, failed, retried } = await run(many(60), workers);
    expect([...answered].sort()).toEqual([...many(60)].sort());
    expect(failed.size).toBe(0);
    expect(workers[0]!.deaths).toBeGreaterThan(0);
    expect(retried.length).toBeGreaterThanOrEqual(workers[0]!.deaths);
  });

  test.each([1, 2])(
    "of a request, %i of them at a time, have it set aside after the third, and no neighbour of it",
    async (count) => {
      const besidePoison: string[] = [];
      let deaths = 0;
      const poisonous: Behaviour = async (prompt, beside, worker) => {
        if (prompt === "p7") {
          deaths += 1;
          worker.die();
          // The third time it was alone.
          if (deaths === 3) besidePoison.push(...beside);
        }
      };
      const workers = Array.from({ length: count }, (_, n) => new FakeWorker(`w${n}`, 4, poisonous));
      const { answered, failed } = await run(many(40), workers);
      expect([...failed]).toEqual([
        [
          "p7",
          {
            code: "workers_lost",
            message:
              "the request was set aside: it was running when 3 workers died, the last time alone; the worker was lost",
          },
        ],
      ]);
      expect([...answered].sort()).toEqual(
        many(40)
          .filter((each) => each !== "p7")
          .sort(),
      );
      expect(deaths).toBe(3);
      expect(besidePoison).toEqual([]);
    },
  );

  test("and lost all requests before one arrived are not blamed on a request", async () => {
    let calls = 0;
    const forgetful: Behaviour = async () => {
      calls += 1;
      if (calls <= 8) throw new WorkerError({ status: "NOT_FOUND", reason: "BUFFER_NOT_FOUND", message: "no buffer" });
    };
    const worker = new FakeWorker("a", 1, forgetful);
    const { answered, failed } = await run(["p0", "p1"], [worker]);
    expect([...answered].sort()).toEqual(["p0", "p1"]);
    expect([failed.size, worker.deaths]).toEqual([0, 8]);
  });
});

test("an abort ends the job with its reason, and what runs is let go", async () => {
  const dispatcher = new Dispatcher(async () => ({ number: 1, key: "", request: request("p") }), {
    onAnswer: () => {},
    onFailure: () => {},
    onRetry: () => {},
    onToken: () => {},
  });
  const worker = new FakeWorker("a", 2, () => sleep(60_000, undefined, { ref: false }));
  const life = worker.live(dispatcher);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new DOMException("interrupted", "AbortError")), 20);
  await expect(dispatcher.run(controller.signal)).rejects.toThrow("interrupted");
  await life;
  expect(worker.begun).toHaveLength(2);
});

const request = (customId: string): JobItem["request"] => ({
  customId,
  url: "",
  asks: [{ prompt: customId, options: {} }],
  respond: () => ({}),
});
