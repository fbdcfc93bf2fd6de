/**
 * A tool, declared to a GPT-OSS, called by it, answered, and used in its answer.
 *
 *     node --import tsxla/register examples/harmony-tools.ts gpt-oss-20b "Is it warm in Tokyo?"
 */
import { pathToFileURL } from "node:url";
import { developerMessage, functionTools, type Message, systemMessage, type Tool, toolResult } from "tsxla/harmony";
import { loadModel, type Model, PromptCache, Worker } from "tsxla/inference";

/** A tool, and what it does. */
export interface RunnableTool extends Tool {
  run(given: unknown): unknown;
}

const getWeather: RunnableTool = {
  name: "get_weather",
  description: "Gets the weather of a city.",
  parameters: {
    type: "object",
    properties: {
      city: { type: "string", description: "The city, e.g. Tokyo" },
      unit: { type: "string", enum: ["celsius", "fahrenheit"], default: "celsius" },
    },
    required: ["city"],
  },
  run(given) {
    const { city, unit = "celsius" } = given as { city?: unknown; unit?: unknown };
    if (typeof city !== "string") throw new Error("city is missing");
    return { city, [String(unit)]: unit === "fahrenheit" ? 88 : 31, sky: "clear" };
  },
};

/** The part of a model that a conversation needs. */
export type Speaker = Pick<Model, "generate">;

/**
 * Asks, runs the tools that the model calls, and asks again until it has an answer.
 *
 * @param rounds  how often it may call: a model may never come to an end
 * @returns all that was said, the question first
 */
export async function answerWithTools(
  model: Speaker,
  question: string,
  {
    tools,
    rounds = 5,
    print = () => {},
  }: { tools: readonly RunnableTool[]; rounds?: number; print?: (text: string) => void },
): Promise<Message[]> {
  await using cache = new PromptCache();
  const messages: Message[] = [
    systemMessage({ reasoning: "low", conversationStartDate: new Date().toISOString().slice(0, 10) }),
    developerMessage({ instructions: "Answer in one sentence.", tools: [functionTools(tools)] }),
    { role: "user", content: question },
  ];
  for (let round = 0; round < rounds; round++) {
    const answer = model.generate(messages, { maxTokens: 1024, cache });
    let next = await answer.next();
    for (; next.done !== true; next = await answer.next()) print(next.value.text);
    const said = next.value.messages ?? [];
    messages.push(...said);
    const calls = said.filter(({ recipient }) => recipient !== undefined);
    if (calls.length === 0) return messages;
    for (const { recipient = "", content } of calls)
      messages.push(toolResult(recipient, run(tools, recipient, content)));
  }
  throw new Error(`no answer after ${rounds} rounds of calls`);
}

/** What a tool says to a call. The model reads errors too, and may call again. */
function run(tools: readonly RunnableTool[], recipient: string, content: string): string {
  const tool = tools.find(({ name }) => recipient === `functions.${name}`);
  try {
    if (tool === undefined) throw new Error(`there is no ${recipient}`);
    return JSON.stringify(tool.run(JSON.parse(content)));
  } catch (error) {
    return JSON.stringify({ error: (error as Error).message });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [path = "gpt-oss-20b", question = "Is it warm in Tokyo?"] = process.argv.slice(2);
  await using worker = await Worker.launch();
  await using model = await loadModel(path, { worker });
  await answerWithTools(model, question, { tools: [getWeather], print: (text) => process.stdout.write(text) });
  process.stdout.write("\n");
}

export default getWeather;
