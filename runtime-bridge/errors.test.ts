import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect, test } from "@jest/globals";
import { ErrorDetail, toBytes } from "../proto/generated/worker.ts";
import { toSessionError, toWorkerError, WorkerLost } from "./errors.ts";

function failed(code: status, details: string, detail?: Uint8Array): ServiceError {
  const metadata = new Metadata();
  if (detail) metadata.set("tsxla-error-bin", Buffer.from(detail));
  return Object.assign(new Error(details), { code, details, metadata });
}

test("the reason and the names of an error detail become fields", () => {
  const detail = toBytes(ErrorDetail, {
    reason: "MODULE_INVALID",
    metadata: { line: "3", column: "9", source: "a.ts:41:3" },
  });
  const error = toWorkerError(failed(status.INVALID_ARGUMENT, "The module is not valid.", detail));
  expect(error).toMatchObject({
    name: "WorkerError",
    message: "The module is not valid.",
    code: "MODULE_INVALID",
    reason: "MODULE_INVALID",
    status: "INVALID_ARGUMENT",
    exitCode: 2,
    fields: { line: "3", column: "9", source: "a.ts:41:3", status: "INVALID_ARGUMENT" },
    place: { line: 3, column: 9, source: "a.ts:41:3" },
  });
});

test("a status without a detail names itself, and one without words says so", () => {
  expect(toWorkerError(failed(status.UNAUTHENTICATED, "No token."))).toMatchObject({
    code: "UNAUTHENTICATED",
    exitCode: 2,
    place: {},
  });
  expect(toWorkerError(failed(status.INTERNAL, "")).message).toBe("the worker answered INTERNAL and nothing else");
});

test("a detail that cannot be read costs the reason, not the error", () => {
  expect(toWorkerError(failed(status.INTERNAL, "It broke.", Uint8Array.of(10, 200, 1)))).toMatchObject({
    code: "INTERNAL",
    message: "It broke.",
  });
});

test.each([
  ["INVALID_ARGUMENT", 2],
  ["NOT_FOUND", 2],
  ["PERMISSION_DENIED", 2],
  ["UNAUTHENTICATED", 2],
  ["INTERNAL", 1],
  ["RESOURCE_EXHAUSTED", 1],
  ["DEADLINE_EXCEEDED", 1],
] as const)("%s ends a command with %i, in a call and in a session", (name, exitCode) => {
  expect(toWorkerError(failed(status[name], "Why.")).exitCode).toBe(exitCode);
  expect(toSessionError({ code: status[name], message: "Why.", detail: undefined }).exitCode).toBe(exitCode);
});

test("the error of a lost worker says how it ended, where its log is, and the log's last lines", () => {
  const error = new WorkerLost({
    address: "unix:/tmp/w/s",
    how: "its process 42 ended by SIGKILL",
    processId: 42,
    signal: "SIGKILL",
    logFile: "/tmp/worker.log",
    logTail: "one\ntwo",
  });
  expect(error).toMatchObject({ code: "WORKER_LOST", exitCode: 1, fields: { processId: 42, signal: "SIGKILL" } });
  expect(error.message).toMatchInlineSnapshot(`
"the worker at unix:/tmp/w/s was lost: its process 42 ended by SIGKILL
  log  /tmp/worker.log
  | one
  | two"
`);
});
