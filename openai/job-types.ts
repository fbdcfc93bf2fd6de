/** What those who read requests and those who answer them say to each other. */
import type { Piece } from "../inference/answers/answer.ts";
import type { ChatOptions, Prompt } from "../inference/answers/prompt.ts";
import type { Summary } from "../inference/answers/summary.ts";
import type { Model } from "../inference/model.ts";

/** What the format needs of a model. */
export type JobModel = Pick<Model, "config" | "context" | "encode" | "harmony" | "hasChatTemplate" | "tokenizer">;

/** What a job says for requests that do not say it themselves. */
export interface JobDefaults {
  /** The name that bodies must have as `model`. Default: any. */
  readonly model?: string | undefined;
  /** Of a request without a `seed`: its own is made of this one and its `custom_id`. Default: 0. */
  readonly seed?: number | bigint | undefined;
  /** What answers were made with, as `system_fingerprint`. Default: of the model's configuration. */
  readonly fingerprint?: string | undefined;
  /** The time of `created`. Default: when the response is made. */
  readonly now?: (() => Date) | undefined;
}

/** A line of the input, understood. */
export interface JobRequest {
  readonly customId: string;
  readonly url: string;
  /** What to ask of the model: an answer for each choice. */
  readonly asks: readonly Ask[];
  /** The body of the response. @param answers  of `asks`, in their order */
  respond(answers: readonly Answered[]): object;
}

/** A request's body, understood, whichever its kind. */
export interface RequestBody {
  readonly model: string;
  readonly seed: number | undefined;
  /** Without seeds of their own. */
  readonly asks: readonly Ask[];
  respond(answers: readonly Answered[], head: ResponseHead): object;
}

/** What every response says. */
export interface ResponseHead {
  readonly customId: string;
  /** In seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly fingerprint: string;
}

/** One answer that a request wants. */
export interface Ask {
  readonly prompt: Prompt;
  readonly options: ChatOptions;
}

/** An answer: what `generate` gave and returned. */
export interface Answered {
  readonly pieces: readonly Piece[];
  readonly summary: Summary;
}
