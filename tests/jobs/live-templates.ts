/** Chats by every template of a folder: what tsxla makes of each, and what transformers does. See scripts/oracle-jobs.mjs. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../dsl/errors.ts";
import { type ChatPrompt, renderChat } from "../../inference/answers/chat-prompt.ts";
import { ChatTemplate } from "../../inference/index.ts";
import { type JobModel, readJobLine } from "../../openai/index.ts";

const [folder = "."] = process.argv.slice(2);
const here = new URL(".", import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL("fixtures/chats.json", here), "utf8")) as {
  readonly cases: Readonly<Record<string, { readonly body: object }>>;
};
const script = new URL("make_fixtures.py", here).pathname;
const printed = execFileSync(process.env.JOBS_PYTHON ?? "python3", [script, "templates", folder], {
  encoding: "utf8",
  maxBuffer: 1 << 28,
});
const theirs = JSON.parse(printed) as Readonly<Record<string, Readonly<Record<string, string | null>>>>;

const counts = new Map<string, string[]>();
for (const [file, texts] of Object.entries(theirs)) {
  for (const [name, text] of Object.entries(texts)) {
    const outcome = outcomeOf(ours(file, name), text);
    counts.set(outcome, [...(counts.get(outcome) ?? []), file]);
  }
}
for (const [outcome, files] of [...counts].sort()) {
  const which = outcome === "the same text" ? "" : `: ${[...new Set(files)].join(", ")}`;
  console.log(`${outcome}, ${files.length} chats of ${new Set(files).size} templates${which}`);
}
process.exitCode = counts.has("ANOTHER TEXT") ? 1 : 0;

// Implementation

/** A text, or the code of the refusal. */
function ours(file: string, name: string): { readonly text: string } | { readonly code: string } {
  try {
    const source = readFileSync(join(folder, file), "utf8");
    const template = ChatTemplate.parse(source, { bosToken: "<s>", eosToken: "</s>" });
    // Tokens are characters, so that whatever differs in a text differs in tokens.
    const model = {
      config: { vocab: 0x110000 },
      context: 1e6,
      encode: (prompt: ChatPrompt) => [...renderChat(template, prompt)].map((each) => each.codePointAt(0)),
    } as unknown as JobModel;
    const { reasoning_effort: _, ...body } = (cases[name]?.body ?? {}) as Readonly<Record<string, unknown>>;
    const line = { custom_id: "a", method: "POST", url: "/v1/chat/completions", body: { model: "m", ...body } };
    const [ask] = readJobLine(JSON.stringify(line), model).asks;
    return { text: renderChat(template, ask?.prompt as ChatPrompt) };
  } catch (error) {
    if (error instanceof InputError) return { code: error.code.toLowerCase() };
    throw error;
  }
}

function outcomeOf(mine: ReturnType<typeof ours>, text: string | null): string {
  if ("code" in mine) return text === null ? "both refuse" : `tsxla alone refuses (${mine.code})`;
  if (text === null) return "transformers alone refuses";
  return mine.text === text ? "the same text" : "ANOTHER TEXT";
}
