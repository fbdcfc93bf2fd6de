/** openai-harmony's JSON of a conversation, as tsxla has it. */
import {
  browserTool,
  type Content,
  type Message,
  pythonTool,
  type ReasoningEffort,
  type Role,
  type Tool,
  type ToolNamespace,
} from "../../inference/harmony/index.ts";

// Public API

export interface OpenAiMessage {
  readonly role: Role;
  readonly name?: string | null;
  readonly recipient?: string | null;
  readonly channel?: string | null;
  readonly content_type?: string | null;
  readonly content: string | readonly Readonly<Record<string, unknown>>[];
}

export function messageFrom({ role, name, recipient, channel, content_type, content }: OpenAiMessage): Message {
  return {
    role,
    ...(name == null ? {} : { name }),
    ...(recipient == null ? {} : { recipient }),
    ...(channel == null ? {} : { channel }),
    ...(content_type == null ? {} : { contentType: content_type }),
    content: typeof content === "string" ? content : content.map(contentFrom),
  };
}

// Implementation

function contentFrom(part: Readonly<Record<string, unknown>>): Content {
  const field = <T>(name: string): T | null => (part[name] ?? null) as T | null;
  if (part.type === "text") return field<string>("text")!;
  const namespaces = Object.values(field<Record<string, unknown>>("tools") ?? {}).map(namespaceFrom);
  if (part.type === "developer_content") {
    const instructions = field<string>("instructions");
    return { kind: "developer", ...(instructions === null ? {} : { instructions }), tools: namespaces };
  }
  const channels = field<{ valid_channels: string[]; channel_required: boolean }>("channel_config");
  return {
    kind: "system",
    modelIdentity: field("model_identity"),
    knowledgeCutoff: field("knowledge_cutoff"),
    conversationStartDate: field("conversation_start_date"),
    reasoning: (field<string>("reasoning_effort")?.toLowerCase() ?? null) as ReasoningEffort | null,
    channels: channels && { valid: channels.valid_channels, required: channels.channel_required },
    tools: namespaces,
  };
}

function namespaceFrom(given: unknown): ToolNamespace {
  if (given === "browser") return browserTool;
  if (given === "python") return pythonTool;
  const { name, description, tools } = given as { name: string; description?: string; tools: Tool[] };
  return { name, tools, ...(description == null ? {} : { description }) };
}
