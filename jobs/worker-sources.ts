/** Where a job's workers come from: addresses, names that stand for many, or this machine. */
import { lookup } from "node:dns/promises";
import { type Target, virtualDevices } from "../compiler/index.ts";
import { InputError } from "../dsl/index.ts";
import { type ConnectOptions, Worker } from "../runtime-bridge/index.ts";
import { parseAddress } from "../runtime-bridge/link/address.ts";

// Public API

/** One worker: how it is called, and how to get it, again and again. */
export interface WorkerSource {
  readonly name: string;
  /** Starts or reaches it. */
  open(signal: AbortSignal): Promise<Worker>;
}

/** A name that stands for any number of workers, looked up from time to time. */
export interface NamedWorkers {
  readonly name: string;
  find(): Promise<readonly WorkerSource[]>;
}

/**
 * A worker that runs elsewhere, or the hosts of a group by their addresses; `dns:NAME:PORT` alone stands for all machines
 * that the name has.
 *
 * @throws InputError for what is no address
 */
export function elsewhere(address: string | readonly string[], connect: ConnectOptions): WorkerSource | NamedWorkers {
  const addresses = typeof address === "string" ? address.split(",") : address;
  for (const each of addresses) parseAddress(each);
  const [first = ""] = addresses;
  const named = addresses.length === 1 ? /^(grpcs:\/\/)?dns:(.+):(\d+)$/.exec(first) : undefined;
  if (named) {
    const [, scheme = "", host = "", port] = named;
    return { name: first, find: () => resolved({ scheme, host, port: port as string }, connect) };
  }
  return reached(addresses.join(","), addresses, connect);
}

/** Workers of this machine, which end with the job. */
export function ownWorkers(count: number, target: Target): readonly WorkerSource[] {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new InputError("OPTION_VALUE", `local is ${count}, and it is a whole number from 1`, {
      option: "local",
      found: count,
    });
  }
  const devices = virtualDevices(target);
  return Array.from({ length: count }, (_, n) => ({
    name: `local ${n}`,
    open: (signal) => Worker.launch({ signal, devices }),
  }));
}

// Implementation

function reached(name: string, addresses: readonly string[], connect: ConnectOptions): WorkerSource {
  return { name, open: (signal) => Worker.connect(addresses, { ...connect, signal }) };
}

async function resolved(
  { scheme, host, port }: { readonly scheme: string; readonly host: string; readonly port: string },
  connect: ConnectOptions,
): Promise<readonly WorkerSource[]> {
  const found = await lookup(host, { all: true });
  const machines = found.map(({ address, family }) => (family === 6 ? `[${address}]` : address));
  // A certificate is of the name, not of the machine's number.
  const options = scheme === "" ? connect : { ...connect, serverName: host };
  return [...new Set(machines)].sort().map((machine) => {
    const address = `${scheme}${machine}:${port}`;
    return reached(address, [address], options);
  });
}
