/** The families of models that are found by the names in their files: one line each. */
export { gptOss } from "./gpt-oss.ts";
export { llama } from "./llama.ts";
