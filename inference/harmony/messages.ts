/**
 * What a Harmony conversation is made of.
 *
 * Names follow openai-harmony, in camel case. A message's content is text, or what a system or developer message says in
 * fields of its own.
 */

// Public API

/** Who speaks, in the order of whom the model obeys. */
export type Role = "system" | "developer" | "user" | "assistant" | "tool";

export const ROLES: readonly Role[] = ["system", "developer", "user", "assistant", "tool"];

/** How much the model thinks before it answers. */
export type ReasoningEffort = "low" | "medium" | "high";

export const REASONING_EFFORTS: readonly ReasoningEffort[] = ["low", "medium", "high"];

/** A message. */
export interface Message {
  readonly role: Role;
  /** Of a tool, which needs one: `functions.get_weather`. Of a user or an assistant: who of several. */
  readonly name?: string | undefined;
  /** Whom it is for: `functions.get_weather` makes it a call of that tool. Without: everybody. */
  readonly recipient?: string | undefined;
  /** `analysis` is thought, `commentary` calls tools and says so, `final` is the answer. */
  readonly channel?: string | undefined;
  /** What the content is, such as `<|constrain|>json`, as the model writes it. */
  readonly contentType?: string | undefined;
  /** Parts are joined as they are. */
  readonly content: Content | readonly Content[];
}

export type Content = string | SystemContent | DeveloperContent;

/** What a system message says. A field that is absent has its default; one that is `null` is left out. */
export interface SystemContent {
  readonly kind: "system";
  /** Default: `You are ChatGPT, a large language model trained by OpenAI.`, which the models were trained with. */
  readonly modelIdentity?: string | null | undefined;
  /** Default: `2024-06`. */
  readonly knowledgeCutoff?: string | null | undefined;
  /** The date of today, `2025-06-28`. Default: left out. */
  readonly conversationStartDate?: string | null | undefined;
  /** Default: `medium`. */
  readonly reasoning?: ReasoningEffort | null | undefined;
  /** Tools that the model was trained with: `browserTool`, `pythonTool`. */
  readonly tools?: readonly ToolNamespace[] | undefined;
  /** Default: `analysis`, `commentary` and `final`, required. */
  readonly channels?: ChannelConfig | null | undefined;
}

/** Which channels there are. None: nothing is said of them. */
export interface ChannelConfig {
  readonly valid: readonly string[];
  /** Whether every message must have one. */
  readonly required: boolean;
}

/** What a developer message says. */
export interface DeveloperContent {
  readonly kind: "developer";
  /** What is called a system prompt elsewhere. */
  readonly instructions?: string | undefined;
  /** `functionTools([…])`. */
  readonly tools?: readonly ToolNamespace[] | undefined;
  /** What the final answer must look like. */
  readonly responseFormats?: readonly ResponseFormat[] | undefined;
}

/** Tools under one name. */
export interface ToolNamespace {
  readonly name: string;
  readonly description?: string | undefined;
  readonly tools: readonly Tool[];
}

/** A tool, called as `namespace.name`. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its one argument. Absent: it takes none. */
  readonly parameters?: JsonSchema | undefined;
}

/** A form of answer: a name, and the JSON Schema that the answer has. */
export interface ResponseFormat {
  readonly name: string;
  readonly description?: string | undefined;
  readonly schema: JsonSchema;
}

/** JSON Schema as an object; what is not known of it is passed over. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A system message. */
export function systemMessage(content: Omit<SystemContent, "kind"> = {}): Message {
  return { role: "system", content: { kind: "system", ...content } };
}

/** A developer message. */
export function developerMessage(content: Omit<DeveloperContent, "kind">): Message {
  return { role: "developer", content: { kind: "developer", ...content } };
}

/** Functions of the developer's own, called as `functions.NAME`. */
export function functionTools(tools: readonly Tool[]): ToolNamespace {
  return { name: "functions", tools };
}

/** What a tool answers: from `functions.get_weather`, to the assistant, in the commentary channel. */
export function toolResult(name: string, content: string): Message {
  return { role: "tool", name, recipient: "assistant", channel: "commentary", content };
}
