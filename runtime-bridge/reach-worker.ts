/**
 * The ways to a worker: starting one on this machine, or connecting to one that runs; of a group, all its hosts.
 */
import { readFile } from "node:fs/promises";
import { type ServiceError, status } from "@grpc/grpc-js";
import { InputError } from "../dsl/errors.ts";
import type { Loss } from "./errors.ts";
import { Group } from "./group/group.ts";
import type { GroupHost } from "./group/group-life.ts";
import { requireAlone } from "./group/host-agreement.ts";
import { type LaunchedWorker, type LaunchOptions, launch } from "./launch/launch.ts";
import { launchGroup } from "./launch/launch-group.ts";
import { Connection, connectMs } from "./link/connection.ts";
import type { Link } from "./link/link.ts";
import { SingleLink } from "./link/single-link.ts";

// Public API

/** How to reach a worker that runs elsewhere. */
export interface ConnectOptions {
  readonly token?: string | undefined;
  /** A file that holds the token. */
  readonly tokenFile?: string | undefined;
  /** A file of certificates, PEM, of who may vouch for a `grpcs://` worker. */
  readonly tlsCa?: string | undefined;
  /** The name that the certificate of a `grpcs://` worker is made out to, where its address has another. */
  readonly serverName?: string | undefined;
  /** How long to wait for the first answer. Default: 10 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A link, and the processes that were started for it; none for a worker that ran already. */
export interface Reached {
  readonly link: Link;
  readonly launched: readonly LaunchedWorker[];
}

/** Starts a worker on this machine, or the hosts of a group, and waits until it answers. */
export async function launchWorker(options: LaunchOptions): Promise<Reached> {
  if (options.hosts !== undefined && options.hosts !== 1) return await startGroup(options, options.hosts);
  const launched = await launch(options);
  const connection = connectionTo(launched);
  try {
    await connection.ready({ signal: options.signal });
  } catch (error) {
    connection.close();
    await launched.close();
    throw error;
  }
  return { link: new SingleLink(connection), launched: [launched] };
}

/**
 * Connects to a worker, or to all hosts of a group.
 *
 * @throws InputError when no address is given, or a file of the options can't be read
 * @throws RuntimeFailure when hosts are not of one group, or differ in their versions
 */
export async function connectWorker(addresses: readonly string[], options: ConnectOptions): Promise<Reached> {
  const [first] = addresses;
  if (first === undefined) throw new InputError("ADDRESS_INVALID", "no worker's address was given", { addresses });
  const { signal, timeoutMs: deadlineMs = connectMs, serverName } = options;
  const token =
    options.token ?? (options.tokenFile === undefined ? undefined : await readOption("tokenFile", options.tokenFile));
  const tlsCa = options.tlsCa === undefined ? undefined : Buffer.from(await readOption("tlsCa", options.tlsCa));
  const connect = (address: string): Connection =>
    new Connection({ address, token, tlsCa, serverName, loss: async (error) => lossOf(address, error) });
  if (addresses.length > 1) {
    const hosts = addresses.map((address) => ({ address, connection: connect(address) }));
    return { link: await Group.form(hosts, { deadlineMs, signal }), launched: [] };
  }
  const connection = connect(first);
  const link = new SingleLink(connection);
  try {
    await connection.ready({ deadlineMs, signal });
    // A wrong token shows here, not at the first compilation.
    requireAlone({ address: first, value: await link.info({ deadlineMs, signal }) });
  } catch (error) {
    connection.close();
    throw error;
  }
  return { link, launched: [] };
}

// Implementation

/** How long a process may take to be seen ended after its connection broke. */
const lossMs = 1_500;

/** Of a worker that runs elsewhere nothing is known but that it doesn't answer. */
const lossOf = (address: string, { code, details }: ServiceError): Loss | undefined =>
  code === status.UNAVAILABLE ? { address, how: `the connection broke (${details})` } : undefined;

function connectionTo(launched: LaunchedWorker): Connection {
  const { address, token } = launched;
  return new Connection({ address, token, loss: () => launched.loss(lossMs) });
}

/** Starts the processes of a group and makes them one. */
async function startGroup(options: LaunchOptions, hosts: number): Promise<Reached> {
  const launched = await launchGroup(options, hosts);
  const members = launched.map((each): GroupHost => {
    const { address, processId, logFile } = each;
    return {
      address,
      connection: connectionTo(each),
      about: { processId, logFile },
      ending: (withinMs) => each.loss(withinMs),
      onBlamed: () => each.keepLog(),
    };
  });
  try {
    return { link: await Group.form(members, { signal: options.signal }), launched };
  } catch (error) {
    await Promise.all(launched.map((each) => each.close()));
    throw error;
  }
}

async function readOption(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new InputError("FILE_UNREADABLE", `${option} ${path} can't be read: ${(error as Error).message}`, {
      option,
      path,
    });
  }
}
