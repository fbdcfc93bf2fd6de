/** Starts several workers on this machine that run programs together, as the hosts of a group do on several. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { InputError } from "../../dsl/errors.ts";
import { type LaunchedWorker, type LaunchOptions, launch } from "./launch.ts";

/**
 * Starts the hosts and waits until all are ready: none is before all have met.
 *
 * @returns them by their numbers
 */
export async function launchGroup(options: LaunchOptions, hosts: number): Promise<readonly LaunchedWorker[]> {
  if (!Number.isInteger(hosts) || hosts < 1) {
    throw new InputError("HOSTS_INVALID", `a group has one host or more; ${hosts} are wanted`, { hosts });
  }
  if (options.logFile !== undefined) {
    throw new InputError(
      "OPTION_CONFLICT",
      "the hosts of a group have a log each; logFile is for a worker on its own",
      {
        logFile: options.logFile,
      },
    );
  }
  const coordinator = `127.0.0.1:${await freePort()}`;
  const failure = new AbortController();
  const signal = options.signal === undefined ? failure.signal : AbortSignal.any([options.signal, failure.signal]);
  let first: { readonly error: unknown } | undefined;
  const starts = await Promise.allSettled(
    Array.from({ length: hosts }, async (_, index) => {
      try {
        return await launch({ ...options, signal }, { coordinator, hosts, index });
      } catch (error) {
        // The others would wait for this one until their time is up.
        first ??= { error };
        failure.abort(error);
        throw error;
      }
    }),
  );
  const started = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  if (first === undefined) return started;
  await Promise.all(started.map((each) => each.close()));
  throw first.error;
}

/** Asks the system for a port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
