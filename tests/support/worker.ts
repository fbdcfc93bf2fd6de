/** The one worker that all test files of a run share. Started when the first of them asks (global-setup.mjs). */

import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll } from "@jest/globals";
import { Worker } from "../../runtime-bridge/index.ts";
import { temporaryFolder } from "./cli.ts";
import "./needs-python.ts";

let connected: Promise<Worker> | undefined;
let tokenFile: Promise<string> | undefined;

/** A connection to it, for as long as this file's tests run. */
export function testWorker(): Promise<Worker> {
  connected ??= reach();
  return connected;
}

afterAll(async () => {
  await (await connected?.catch(() => undefined))?.close();
});

/** Where it is, for other processes. */
export async function testWorkerPlace(): Promise<{ readonly address: string; readonly token: string }> {
  const desk = process.env.TSXLA_TEST_DESK;
  if (desk === undefined) throw new Error("no desk: jest runs tests with the globalSetup of jest.config.mjs");
  const answer = JSON.parse(await text(connect(desk))) as { address: string; token: string; error?: string };
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}

/** The options that make a command use the worker of the test run instead of one of its own. */
export async function onTestWorker(): Promise<readonly string[]> {
  const { address, token } = await testWorkerPlace();
  tokenFile ??= writeToken(token);
  return ["--worker", address, "--token-file", await tokenFile];
}

async function reach(): Promise<Worker> {
  const { address, token } = await testWorkerPlace();
  return await Worker.connect(address, { token });
}

async function writeToken(token: string): Promise<string> {
  const file = join(await temporaryFolder(), "token");
  await writeFile(file, token, { mode: 0o600 });
  return file;
}
