/** What a job says, and what it counts for Prometheus. */
import { expect, test } from "@jest/globals";
import type { JobProgress, JobSummary } from "../../inference/index.ts";
import { serveMetrics } from "./job-metrics.ts";
import { clock, progressLine, summaryLines } from "./job-reporter.ts";

const now: JobProgress = {
  total: 300,
  answered: 100,
  failed: 2,
  resumed: 40,
  left: 198,
  running: 6,
  retrying: 1,
  retries: 3,
  answerTokens: 2000,
  tokensPerSecond: 210.04,
  seconds: 10,
  secondsLeft: 3725,
  workers: [
    { name: "a:1", state: "ready", rows: 4, running: 4, tokens: 1500, tokensPerSecond: 150, losses: 1 },
    { name: "b:1", state: "ready", rows: 4, running: 2, tokens: 500, tokensPerSecond: 60, losses: 0 },
    { name: "c:1", state: "lost", rows: 0, running: 0, tokens: 0, tokensPerSecond: 0, losses: 2 },
  ],
};

test("a line tells what is done, failed and running, how fast, how long, and by whom", () => {
  expect(progressLine(now)).toBe(
    "102 of 300 · 2 failed · 6 running · 1 to try again · 210.0 tokens/s · 1:02:05 left · 2 of 3 workers · " +
      "a:1 4/4 150 tokens/s, b:1 2/4 60 tokens/s",
  );
  expect([0, 59.6, 61, 3600].map(clock)).toEqual(["0:00", "1:00", "1:01", "1:00:00"]);
});

test("a summary names near ties and workers that were not used", () => {
  const { running: _, retrying: __, secondsLeft: ___, workers: ____, ...rest } = now;
  const summary: JobSummary = {
    ...rest,
    promptTokens: 1000,
    reusedTokens: 250,
    workersLost: 3,
    workersGone: [{ name: "d:1", reason: "it differs" }],
    nearTies: [{ customId: "r7", ties: [{ choice: 0, index: 3, margin: 1e-5 }] }],
  };
  expect(summaryLines(summary)).toEqual([
    "100 answered · 2 failed · 40 of them before · 2000 tokens in 0:10, 210.0 tokens/s · 1000 tokens of prompts, " +
      "25 % reused · 3 tried again · workers lost 3 times",
    "worker d:1 was not used: it differs",
    "near ties, which another run may decide otherwise: r7",
  ]);
});

test("Prometheus reads the same numbers", async () => {
  await using metrics = await serveMetrics("127.0.0.1:0");
  metrics.tell({ kind: "progress", ...now });
  for (const _ of [1, 2]) {
    const response = await fetch(metrics.address);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of [
      "# TYPE tsxla_job_requests_total counter",
      'tsxla_job_requests_total{outcome="answered"} 100',
      'tsxla_job_requests_total{outcome="failed"} 2',
      "tsxla_job_requests_left 198",
      "tsxla_job_requests_running 6",
      "tsxla_job_retries_total 3",
      'tsxla_job_answer_tokens_total{worker="a:1"} 1500',
      'tsxla_job_worker_losses_total{worker="c:1"} 2',
      'tsxla_job_workers{state="ready"} 2',
      'tsxla_job_workers{state="gone"} 0',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  }
  expect((await fetch(metrics.address.replace("metrics", "other"))).status).toBe(404);
  await expect(serveMetrics(metrics.address.split("/")[2] as string)).rejects.toMatchObject({
    code: "OPTION_VALUE",
    exitCode: 2,
  });
  await expect(serveMetrics("nowhere")).rejects.toThrow("--metrics is nowhere, and it is HOST:PORT");
});
