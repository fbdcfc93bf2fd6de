/** OpenAI's batch format, both ways: lines to requests, answers and errors to lines. */

export { readJobLine } from "./job-line.ts";
export type { Answered, Ask, JobDefaults, JobModel, JobRequest } from "./job-types.ts";
export { answerLine, errorLine, type LineOrigin } from "./output-line.ts";
