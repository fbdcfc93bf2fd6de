/** `tsxla probe`: whether a worker serves. For people, and for whatever watches over a worker's process. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { probeHealth } from "../runtime-bridge/index.ts";

// Public API

export function probeCommand(command: Command, signal: AbortSignal): Command {
  return command
    .argument("<address>", "unix:PATH, HOST:PORT, dns:NAME:PORT, or grpcs:// before one of the last two")
    .option("--tls-ca <file>", "certificates, PEM, that vouch for the worker; on loopback none is asked")
    .action(async (address: string, { tlsCa }: { readonly tlsCa?: string }) => {
      const health = await probeHealth(address, { signal, tlsCa: tlsCa === undefined ? undefined : await read(tlsCa) });
      process.stdout.write(`${health}\n`);
      if (health !== "SERVING")
        throw new RuntimeFailure("NOT_SERVING", `${address} answers, but is ${health}`, { health });
    });
}

// Implementation

async function read(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: Error) => {
    throw new InputError("INPUT", `--tls-ca ${path} cannot be read: ${cause.message}`, { path }, { cause });
  });
}
