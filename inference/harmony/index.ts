/**
 * Harmony, the chat format of OpenAI's GPT-OSS: its encoding, rendering of conversations, parsing of what a model says.
 *
 * @module tsxla/harmony
 */
export type { StreamingDecoder } from "../text/streaming-decoder.ts";
export type { DecodeOptions, EncodeOptions, Tokenizer } from "../text/tokenizer.ts";
export { browserTool, pythonTool } from "./builtin-tools.ts";
export { type HarmonyChatOptions, harmonyMessages } from "./chat.ts";
export type { FormatTokens } from "./format.ts";
export { type CompletionOptions, Harmony, loadHarmony, type RenderOptions } from "./harmony.ts";
export { withoutOldAnalysis } from "./history.ts";
export {
  type ChannelConfig,
  type Content,
  type DeveloperContent,
  developerMessage,
  functionTools,
  type JsonSchema,
  type Message,
  type ReasoningEffort,
  type ResponseFormat,
  type Role,
  type SystemContent,
  systemMessage,
  type Tool,
  type ToolNamespace,
  toolResult,
} from "./messages.ts";
export { loadO200kHarmony, O200K_SHA256 } from "./o200k.ts";
export type { MessageHeader } from "./parse-header.ts";
export type { Parsed, ParsedMessage, Parser, ParserEvent, ParserOptions, Problem, ProblemCode } from "./parser.ts";
