/** `tsxla worker`: serves this machine's devices, and starts the Python process again when it dies. */
import type { Command } from "commander";
import { superviseWorker } from "../runtime-bridge/index.ts";
import { wholeFromZero, wholeNumber } from "./options.ts";

// Public API

export function workerCommand(command: Command, signal: AbortSignal): Command {
  return command
    .option("--listen <address>", "unix:PATH or HOST:PORT; port 0 picks one", "127.0.0.1:0")
    .option("--root <dir>", "the folder to which checkpoint paths are confined (here)")
    .option("--token-file <file>", "calls must carry the token in this file")
    .option("--tls-cert <file>", "the certificate chain, PEM")
    .option("--tls-key <file>", "its private key, PEM")
    .option("--cache-dir <dir>", "keeps compiled programs between runs")
    .option("--executable-key <file>", "signs saved executables (without: a key of its own in --cache-dir)")
    .option("--log-file <file>", "appends JSON lines here instead of to stderr")
    .option("--metrics <address>", "serves /metrics for Prometheus at HOST:PORT; port 0 picks one")
    .option("--devices <n>", "virtual devices on a CPU", wholeNumber)
    .option("--coordinator <address>", "HOST:PORT where the hosts of a group meet: host 0 listens there")
    .option("--num-processes <n>", "how many hosts the group has", wholeNumber)
    .option("--process-id <i>", "which of them this is, from 0", wholeFromZero)
    .action(async (options: Readonly<Record<string, string | number | undefined>>) => {
      process.exitCode = await superviseWorker(options, signal);
    });
}
