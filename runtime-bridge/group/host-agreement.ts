/**
 * What the hosts of a group must agree on before they run anything: who they are, and what they are made of.
 */
import { RuntimeFailure } from "../../dsl/errors.ts";
import type { GetInfoResponse } from "../../proto/generated/worker.ts";

// Public API

/** Something that one host said. */
export interface Said<T> {
  /** Where the host is. */
  readonly address: string;
  readonly value: T;
}

/**
 * Refuses values that differ.
 *
 * @throws RuntimeFailure with the host that differs from host 0, and both values
 */
export function agree(what: string, said: readonly Said<string>[]): void {
  const [first] = said;
  const odd = said.findIndex(({ value }) => value !== first?.value);
  if (first === undefined || odd < 0) return;
  const other = said[odd] as Said<string>;
  throw new RuntimeFailure(
    "GROUP_MISMATCH",
    [
      `the hosts of the group disagree about ${what}`,
      `  host 0  ${first.value}  (${first.address})`,
      `  host ${odd}  ${other.value}  (${other.address})`,
    ].join("\n"),
    { what, host: odd, address: other.address, wanted: first.value, found: other.value },
  );
}

/**
 * Puts workers in the order of the group that they say they form.
 *
 * @throws RuntimeFailure when they are not all the hosts of one group, or are made of other versions
 */
export function orderHosts<T>(infos: readonly Said<GetInfoResponse>[], items: readonly T[]): readonly T[] {
  for (const { address, value } of infos) {
    if (value.hostCount !== infos.length) throw notTheGroup(infos.length, address, value);
  }
  const places = infos.map(({ value }) => value.hostIndex);
  const twice = places.findIndex((place, n) => places.indexOf(place) !== n);
  if (twice >= 0) {
    const both = infos.filter(({ value }) => value.hostIndex === places[twice]).map(({ address }) => address);
    throw new RuntimeFailure("GROUP_INVALID", `${both.join(" and ")} are both host ${places[twice]} of a group`, {
      addresses: both,
      host: places[twice],
    });
  }
  const ordered = infos.toSorted((a, b) => a.value.hostIndex - b.value.hostIndex);
  const about = (what: string, of: (info: GetInfoResponse) => string): void =>
    agree(
      what,
      ordered.map(({ address, value }) => ({ address, value: of(value) })),
    );
  about("the version of tsxla's worker", (info) => info.workerVersion);
  about("the version of jax", (info) => info.jaxVersion);
  about("the version of jaxlib", (info) => info.jaxlibVersion);
  about("the platform", (info) => info.platform);
  about("the kind of device", (info) => info.devices[0]?.kind ?? "none");
  about("the group that they are of", (info) => info.groupId);
  return places.map((_, n) => items[places.indexOf(n)] as T);
}

/**
 * Refuses a worker that is one host of several where one worker was meant.
 *
 * @throws RuntimeFailure that says of which group it is
 */
export function requireAlone({ address, value }: Said<GetInfoResponse>): void {
  if (value.hostCount > 1) throw notTheGroup(1, address, value);
}

// Implementation

function notTheGroup(named: number, address: string, { hostIndex, hostCount }: GetInfoResponse): RuntimeFailure {
  const what = hostCount > 1 ? `host ${hostIndex} of a group of ${hostCount}` : "a worker on its own";
  return new RuntimeFailure(
    "GROUP_INVALID",
    `the worker at ${address} is ${what}, and ${named} ${named === 1 ? "address was" : "addresses were"} named; name all hosts of a group, each once`,
    { address, hostIndex, hostCount, named },
  );
}
