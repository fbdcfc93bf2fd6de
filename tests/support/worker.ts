/** The one worker that all test files of a run share. Started when the first of them asks (global-setup.mjs). */

import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll } from "@jest/globals";
import { Worker } from "../../runtime-bridge/index.ts";

let connected: Promise<Worker> | undefined;

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

async function reach(): Promise<Worker> {
  const { address, token } = await testWorkerPlace();
  return await Worker.connect(address, { token });
}
