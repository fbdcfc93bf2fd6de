/** Identifiers that depend on the request alone, so that a job that is run again writes the same. */
import { createHash } from "node:crypto";

// Public API

/** 32 hexadecimal digits of whatever a thing is called by. */
export function digestOf(...names: readonly (string | number | bigint)[]): string {
  return createHash("sha256")
    .update(JSON.stringify(names.map(String)))
    .digest("hex")
    .slice(0, 32);
}

/** The seed of a request that has none: others for other requests, the same for the same one. */
export function derivedSeed(seed: number | bigint, customId: string): bigint {
  return BigInt(`0x${digestOf("seed", seed, customId).slice(0, 16)}`);
}
