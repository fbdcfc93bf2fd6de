/**
 * One load on all hosts of a group: progress as each host sends it, and at the end what all of them made.
 */
import { type LoadRequest, type LoadResponse, WorkerService as service } from "../../proto/generated/worker.ts";
import { WorkerError } from "../errors.ts";
import type { Connection } from "../link/connection.ts";

// Public API

/** A load in progress. */
export interface HostLoads {
  /** The last answer of each host. */
  readonly started: readonly Promise<LoadResponse>[];
  /** Ends the load on every host. */
  stop(): void;
  /** Gives the latest answers whenever one came, without buffers, until `all` is settled. */
  progress(all: Promise<unknown>): AsyncGenerator<readonly LoadResponse[], void, undefined>;
}

/** Begins a load on every host, each with the request that is its own. */
export function loadOnHosts(connections: readonly Connection[], requestOf: (index: number) => LoadRequest): HostLoads {
  const latest = connections.map((): LoadResponse => nothingLoaded);
  const abort = new AbortController();
  let wake = (): void => {};
  const read = async (connection: Connection, index: number): Promise<LoadResponse> => {
    for await (const response of connection.receive(service.load, requestOf(index), { signal: abort.signal })) {
      latest[index] = response;
      wake();
    }
    return latest[index] as LoadResponse;
  };
  return {
    started: connections.map(read),
    stop: () => abort.abort(stopped),
    async *progress(all) {
      let isOver = false;
      const end = (): void => {
        isOver = true;
        wake();
      };
      all.then(end, end);
      while (!isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (isOver) resolve();
        });
        // The last answers hold the buffers: they are given once all hosts have them.
        if (!isOver) yield latest.map((response) => ({ ...response, buffers: [] }));
      }
    },
  };
}

// Implementation

const stopped = new WorkerError({ status: "CANCELLED", reason: "CANCELLED", message: "another host has failed" });

const nothingLoaded: LoadResponse = {
  itemsDone: 0,
  bytesDone: 0,
  bytesTotal: 0,
  bytesStored: 0,
  buffers: [],
  parts: [],
};
