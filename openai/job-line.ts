/**
 * A line of OpenAI's batch format, read: what it asks of the model, and how the answers become its response.
 *
 * What is not known, or cannot be followed, is refused with a code and a `param`; nothing is passed over.
 * Source: OpenAI's API reference, "Batch", "Chat" and "Completions".
 */
import { z } from "zod";
import { InputError } from "../dsl/errors.ts";
import { seedOf } from "../inference/sampling/random.ts";
import { readChatBody } from "./chat-request.ts";
import { readCompletionBody } from "./completion-request.ts";
import type { JobDefaults, JobModel, JobRequest, RequestBody } from "./job-types.ts";
import { parseRequest, requestError } from "./request-errors.ts";
import { derivedSeed, digestOf } from "./response-ids.ts";
import { seedBits } from "./sampling-fields.ts";

// Public API

/**
 * Reads a line.
 *
 * Answer 0 has the request's seed, so that it is the same for any `n`; answer k has `seedOf(seed, k)`.
 *
 * @throws InputError whose `code` is one of OpenAI's and whose `fields` have `param`, `customId` where the line has one,
 *   and `status`, which HTTP would answer with
 */
export function readJobLine(text: string, model: JobModel, defaults: JobDefaults = {}): JobRequest {
  const line = parsedLine(text);
  const customId = idOf(line);
  try {
    return readLine(line, model, defaults);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const status = error.code === "model_not_found" ? 404 : 400;
    const fields = { param: null, ...error.fields, status, ...(customId === undefined ? {} : { customId }) };
    throw new InputError(error.code, error.message, fields, { cause: error.cause });
  }
}

// Implementation

const readers: Readonly<Record<string, (body: unknown, model: JobModel) => RequestBody>> = {
  "/v1/chat/completions": readChatBody,
  "/v1/completions": readCompletionBody,
};

const urls = Object.keys(readers);

const lineSchema = z.strictObject(
  {
    custom_id: z.string("a string").min(1, "a string that is not empty"),
    method: z.literal("POST", "POST"),
    url: z.enum(urls as [string], urls.join(" or ")),
    body: z.record(z.string(), z.unknown(), "an object"),
  },
  "an object",
);

function parsedLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fields = { param: null, status: 400 };
    throw new InputError("invalid_json_line", `the line is not JSON: ${(cause as Error).message}`, fields, { cause });
  }
}

function idOf(line: unknown): string | undefined {
  const id = typeof line === "object" && line !== null && "custom_id" in line ? line.custom_id : undefined;
  return typeof id === "string" && id !== "" ? id : undefined;
}

function readLine(line: unknown, model: JobModel, defaults: JobDefaults): JobRequest {
  const { custom_id: customId, url, body } = parseRequest(lineSchema, line);
  const read = (readers[url] as (typeof readers)[string])(body, model);
  if (defaults.model !== undefined && read.model !== defaults.model) {
    const [found, wanted] = [read.model, defaults.model].map((name) => JSON.stringify(name));
    throw requestError(
      "model_not_found",
      "model",
      `body.model is ${found}; wanted ${wanted}, which is the one there is`,
    );
  }
  const seed = read.seed === undefined ? derivedSeed(defaults.seed ?? 0, customId) : seedBits(read.seed);
  return {
    customId,
    url,
    asks: read.asks.map(({ prompt, options }, at) => ({
      prompt,
      options: { ...options, seed: at === 0 ? seed : seedOf(seed, at) },
    })),
    respond(answers) {
      if (answers.length !== read.asks.length) {
        throw new RangeError(`${answers.length} answers for ${read.asks.length} questions`);
      }
      return read.respond(answers, {
        customId,
        model: read.model,
        created: Math.floor((defaults.now?.() ?? new Date()).getTime() / 1000),
        fingerprint: defaults.fingerprint ?? fingerprintOf(model),
      });
    },
  };
}

const fingerprints = new WeakMap<object, string>();

function fingerprintOf({ config, context }: JobModel): string {
  let found = fingerprints.get(config);
  if (found === undefined) {
    found = `fp_${digestOf(JSON.stringify(config), context).slice(0, 10)}`;
    fingerprints.set(config, found);
  }
  return found;
}
