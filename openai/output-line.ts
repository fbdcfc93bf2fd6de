/**
 * Lines of OpenAI's output and error files.
 *
 * A request that is wrong has a response as HTTP would give it, with a status and an `error` in its body; one that failed
 * otherwise has no response and an `error` of the line. Source: OpenAI's API reference, "The request output object".
 */
import { TsxlaError } from "../dsl/errors.ts";
import type { Answered, JobRequest } from "./job-types.ts";
import { digestOf } from "./response-ids.ts";

// Public API

/** A request, by its `custom_id`; one that has none by the number of its line, from 1. */
export interface LineOrigin {
  readonly customId?: string | undefined;
  readonly line?: number | undefined;
  /** What the line's `id` is made of: 32 hexadecimal digits. Default: of its name. */
  readonly key?: string | undefined;
}

/** The line of a request that was answered, without a line break. @param key  as in `LineOrigin` */
export function answerLine(request: JobRequest, answers: readonly Answered[], key?: string): string {
  const ids = idsOf({ customId: request.customId, key });
  const response = { status_code: 200, request_id: ids.request, body: request.respond(answers) };
  return JSON.stringify({ id: ids.line, custom_id: request.customId, response, error: null });
}

/**
 * The line of a request that was not answered, without a line break.
 *
 * @param error  an `InputError` is the request's own fault; whatever else it is, the run's
 */
export function errorLine(error: unknown, { customId, line, key }: LineOrigin): string {
  const ids = idsOf({ customId, line, key });
  const { code, message, fields } = told(error);
  const where = customId === undefined && line !== undefined ? `line ${line}: ` : "";
  const isWrong = error instanceof TsxlaError && error.exitCode === 2;
  return JSON.stringify({
    id: ids.line,
    custom_id: customId ?? null,
    response: isWrong
      ? {
          status_code: typeof fields.status === "number" ? fields.status : 400,
          request_id: ids.request,
          body: {
            error: {
              message: `${where}${message}`,
              type: "invalid_request_error",
              param: typeof fields.param === "string" ? fields.param : null,
              code,
            },
          },
        }
      : null,
    error: isWrong ? null : { code, message: `${where}${message}` },
  });
}

// Implementation

function idsOf({ customId, line = 0, key }: LineOrigin): { readonly line: string; readonly request: string } {
  const name = customId === undefined ? ["line", line] : ["request", customId];
  return { line: `batch_req_${key ?? digestOf("batch", ...name)}`, request: `req_${digestOf("http", ...name)}` };
}

function told(error: unknown): { code: string; message: string; fields: Readonly<Record<string, unknown>> } {
  if (error instanceof TsxlaError)
    return { code: error.code.toLowerCase(), message: error.message, fields: error.fields };
  return { code: "server_error", message: error instanceof Error ? error.message : String(error), fields: {} };
}
