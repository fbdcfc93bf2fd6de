/** `tsxla worker --metrics`, as Prometheus meets it. What is counted is tested in python-worker/tests/test_metrics.py. */
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Worker } from "../../inference/index.ts";
import { runCli, startCli, temporaryFolder } from "../support/cli.ts";
import "../support/needs-python.ts";

test("tsxla worker serves its counters where it says, and stops with the worker", async () => {
  const folder = await temporaryFolder();
  const socket = `unix:${join(folder, "s")}`;
  const running = startCli(["worker", "--listen", socket, "--metrics", "127.0.0.1:0", "--root", folder]);
  let said = "";
  running.process.stdout?.on("data", (text: string) => {
    said += text;
  });
  await running.until(/"metrics": "http/);
  const { metrics } = JSON.parse(said.split("\n").find((each) => each.includes("metrics")) as string) as {
    metrics: string;
  };
  expect(metrics).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  {
    await using worker = await Worker.connect(socket);
    await worker.compile(
      "module @m {\n  func.func public @main(%a: tensor<2xf32>) -> tensor<2xf32> { return %a : tensor<2xf32> }\n}\n",
    );
  }
  const answer = await fetch(metrics);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=/);
  const text = await answer.text();
  expect(text).toMatch(/^tsxla_calls_total\{code="OK",method="Compile"\} 1\.0$/m);
  expect(text).toMatch(/^tsxla_executables 1\.0$/m);
  running.process.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ code: 0 });
  await expect(fetch(metrics)).rejects.toThrow();
});

test("an address that others can reach needs a token and a certificate", async () => {
  const { code, stderr } = await runCli(["worker", "--metrics", "0.0.0.0:0"]);
  expect(code).toBe(2);
  expect(stderr.replaceAll(/\s+/g, " ")).toContain(
    "0.0.0.0:0 can be reached from other machines: that needs --token-file",
  );
});
