/** What a job counts, for Prometheus: `tsxla jobs run --metrics ADDRESS`. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { InputError } from "../../dsl/index.ts";
import type { JobEvent, JobProgress, WorkerState } from "../../inference/index.ts";

// Public API

export interface JobMetrics extends AsyncDisposable {
  /** Where they are, such as `http://127.0.0.1:9400/metrics`. */
  readonly address: string;
  tell(event: JobEvent): void;
}

/**
 * Serves /metrics.
 *
 * @param listen  `HOST:PORT`; port 0 picks one
 * @throws InputError for an address that cannot be listened on
 */
export async function serveMetrics(listen: string): Promise<JobMetrics> {
  // Only who asks for it loads it.
  const { Counter, Gauge, Registry } = await import("prom-client");
  let now: JobProgress | undefined;
  const registry = new Registry();
  const registers = [registry];
  /** @param read  each series by its labels' values, and its number */
  const add = <Label extends string>(
    kind: "counter" | "gauge",
    { name, help, label }: { readonly name: string; readonly help: string; readonly label?: Label },
    read: (now: JobProgress) => readonly (readonly [string, number])[],
  ) => {
    const labelNames = label === undefined ? [] : [label];
    const labels = (value: string) => (label === undefined ? {} : { [label]: value }) as Record<Label, string>;
    const made =
      kind === "counter"
        ? new Counter({ name, help, labelNames, registers, collect })
        : new Gauge({ name, help, labelNames, registers, collect });
    function collect() {
      made.reset();
      for (const [value, number] of now === undefined ? [] : read(now)) made.inc(labels(value), number);
    }
  };
  add(
    "counter",
    {
      name: "tsxla_job_requests_total",
      help: "Requests that are done, runs before this one included.",
      label: "outcome",
    },
    ({ answered, failed }) => [
      ["answered", answered],
      ["failed", failed],
    ],
  );
  add("gauge", { name: "tsxla_job_requests_left", help: "Requests that are not done." }, ({ left }) => [["", left]]);
  add("gauge", { name: "tsxla_job_requests_running", help: "Requests that are being answered." }, ({ running }) => [
    ["", running],
  ]);
  add("counter", { name: "tsxla_job_retries_total", help: "Times that a request was tried again." }, ({ retries }) => [
    ["", retries],
  ]);
  add(
    "counter",
    {
      name: "tsxla_job_answer_tokens_total",
      help: "Tokens made by each worker, of answers that were lost too.",
      label: "worker",
    },
    ({ workers }) => workers.map(({ name, tokens }) => [name, tokens]),
  );
  add(
    "counter",
    { name: "tsxla_job_worker_losses_total", help: "Times that a worker was lost.", label: "worker" },
    ({ workers }) => workers.map(({ name, losses }) => [name, losses]),
  );
  add("gauge", { name: "tsxla_job_workers", help: "Workers by their state.", label: "state" }, ({ workers }) =>
    states.map((state) => [state, workers.filter((each) => each.state === state).length]),
  );

  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("Only /metrics is here.\n");
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (error: Error) => response.writeHead(500).end(`${error.message}\n`),
    );
  });
  const { host, port } = place(listen);
  try {
    server.listen(port, host.replace(/^\[|\]$/g, ""));
    await once(server, "listening");
  } catch (cause) {
    throw new InputError(
      "OPTION_VALUE",
      `--metrics ${listen} cannot be listened on: ${(cause as Error).message}`,
      { listen },
      { cause },
    );
  }
  // The job decides when the process ends.
  server.unref();
  return {
    address: `http://${host}:${(server.address() as AddressInfo).port}/metrics`,
    tell: (event) => {
      if (event.kind === "progress") now = event;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

// Implementation

const states: readonly WorkerState[] = ["starting", "checking", "loading", "ready", "lost", "gone"];

function place(listen: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:\s[\]/]+):(\d{1,5})$/.exec(listen) ?? [];
  if (host !== undefined && Number(port) <= 65535) return { host, port: Number(port) };
  throw new InputError("OPTION_VALUE", `--metrics is ${listen}, and it is HOST:PORT`, { listen });
}
