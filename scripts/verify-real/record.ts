/** Asks another engine how it goes on with the prompts: transformers in a Python, or a server that speaks OpenAI's API. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { InputError, RuntimeFailure } from "../../dsl/index.ts";
import type { Expectations } from "./expectations.ts";

// Public API

export interface RecordOptions {
  /** `transformers`, or the address of a server: `http://localhost:8000`. */
  readonly engine: string;
  /** A Python that has transformers. */
  readonly python: string;
  /** What transformers computes in. */
  readonly dtype: string;
  readonly device: string;
  readonly maxTokens: number;
  readonly prompts: readonly string[];
  readonly signal: AbortSignal;
}

export type Recorded = Pick<Expectations, "recordedBy" | "answers">;

/** @throws InputError for an engine that is none; RuntimeFailure when it fails */
export async function recordAnswers(model: string, options: RecordOptions): Promise<Recorded> {
  if (options.engine === "transformers") return await byTransformers(model, options);
  if (/^https?:\/\//.test(options.engine)) return await byServer(options);
  throw new InputError("ENGINE", `'${options.engine}' records nothing; wanted transformers, or a server's address`, {
    engine: options.engine,
  });
}

// Implementation

async function byTransformers(model: string, options: RecordOptions): Promise<Recorded> {
  const { python, signal, dtype, device, maxTokens, prompts } = options;
  const script = fileURLToPath(new URL("record.py", import.meta.url));
  const child = spawn(python, [script, model], { stdio: ["pipe", "pipe", "inherit"], signal });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  child.stdin.on("error", () => {});
  child.stdin.end(JSON.stringify({ dtype, device, maxTokens, prompts }));
  const code = await ended.catch((cause: Error) => {
    throw new InputError("PYTHON", `${python} cannot be started: ${cause.message}`, { python }, { cause });
  });
  if (code === 0) return JSON.parse(said) as Recorded;
  throw new RuntimeFailure(
    "RECORD",
    `${python} ${script} ended with ${code}; it needs tests/parity/oracle-requirements.txt`,
    {
      python,
      code,
    },
  );
}

const models = z.object({ data: z.array(z.object({ id: z.string() })).min(1) });
const completion = z.object({ choices: z.array(z.object({ text: z.string() })).min(1) });

/** Tells no tokens and no gaps: answers are compared as texts. */
async function byServer({ engine, maxTokens, prompts, signal }: RecordOptions): Promise<Recorded> {
  const base = engine.replace(/\/+$/, "").replace(/\/v1$/, "");
  const ask = async <T>(schema: z.ZodType<T>, path: string, body?: object): Promise<T> => {
    const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const refuse = (reason: string, cause?: unknown): never => {
      throw new RuntimeFailure("RECORD", `${base}${path}: ${reason}`, { engine }, { cause });
    };
    const answer = await fetch(`${base}${path}`, { signal, ...(body === undefined ? {} : post) }).catch(
      (cause: Error) => refuse((cause.cause as Error | undefined)?.message ?? cause.message, cause),
    );
    if (!answer.ok) return refuse(`${answer.status} ${(await answer.text()).slice(0, 200)}`);
    const result = schema.safeParse(await answer.json().catch(() => undefined));
    return result.success ? result.data : refuse("it does not answer as OpenAI's API does");
  };
  const [model] = (await ask(models, "/v1/models")).data;
  const answers: Recorded["answers"] = [];
  for (const prompt of prompts) {
    const request = { model: model?.id, prompt, max_tokens: maxTokens, temperature: 0 };
    const [choice] = (await ask(completion, "/v1/completions", request)).choices;
    answers.push({ prompt, text: choice?.text ?? "" });
  }
  return { recordedBy: `${model?.id} at a server with OpenAI's API`, answers };
}
