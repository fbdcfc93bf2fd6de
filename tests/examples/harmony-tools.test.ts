/** examples/harmony-tools.ts with a model that says what a script tells it; the engine under it is real. */
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { cpu } from "../../compiler/index.ts";
import getWeather, { answerWithTools, type RunnableTool } from "../../examples/harmony-tools.ts";
import {
  developerMessage,
  functionTools,
  Harmony,
  type Message,
  systemMessage,
  toolResult,
} from "../../inference/harmony/index.ts";
import { loadModel } from "../../inference/index.ts";
import scripted from "../chat/scripted.ts";
import { writeScripted } from "../chat/scripted-chat.ts";
import { byteTokenizer } from "../support/byte-tokenizer.ts";
import { temporaryFolder } from "../support/cli.ts";
import { testWorker } from "../support/worker.ts";

const harmony = new Harmony(byteTokenizer());
const question = "Is it warm in Tokyo?";

function beginning(tools: readonly RunnableTool[]): Message[] {
  return [
    systemMessage({ reasoning: "low", conversationStartDate: new Date().toISOString().slice(0, 10) }),
    developerMessage({ instructions: "Answer in one sentence.", tools: [functionTools(tools)] }),
    { role: "user", content: question },
  ];
}

const think: Message = { role: "assistant", channel: "analysis", content: "I look it up." };
const call = (name: string, content: string): Message => ({
  ...{ role: "assistant", channel: "commentary", recipient: `functions.${name}` },
  ...{ contentType: "<|constrain|>json", content },
});
const final: Message = { role: "assistant", channel: "final", content: "Yes, it is 31 degrees in Tokyo." };

/** What follows `<|start|>assistant` when these are said. */
const spoken = (...messages: readonly Message[]): number[] => {
  const ids = harmony.render(messages, { dropAnalysis: false });
  const prompt = harmony.renderForCompletion([]).length;
  const said = ids.slice(prompt);
  if (messages.at(-1)?.channel === "final") said[said.length - 1] = harmony.tokens.return;
  return said;
};

async function scriptedModel(turns: Parameters<typeof writeScripted>[2]) {
  const path = await writeScripted(join(await temporaryFolder(), "scripted"), harmony, turns);
  const target = cpu({ weights: { experts: "f32", dense: "f32" } });
  return await loadModel(path, { worker: await testWorker(), architecture: scripted, target });
}

test("the tool is declared, called by the model, answered, and its answer used", async () => {
  const asked = beginning([getWeather]);
  const calls = call("get_weather", '{"city": "Tokyo"}');
  const result = toolResult("functions.get_weather", '{"city":"Tokyo","celsius":31,"sky":"clear"}');
  await using model = await scriptedModel([
    { prompt: asked, answer: spoken(think, calls) },
    // Its thoughts are still there: it is not done.
    { prompt: [...asked, think, calls, result], answer: spoken(final) },
  ]);
  let printed = "";
  const messages = await answerWithTools(model, question, {
    tools: [getWeather],
    print: (text) => {
      printed += text;
    },
  });
  expect(printed).toBe("Yes, it is 31 degrees in Tokyo.");
  expect(messages).toMatchObject([...asked, think, calls, result, final]);
});

test("a call that cannot be run is told to the model, and a model that only calls is stopped", async () => {
  const asked = beginning([getWeather]);
  const wrong = call("get_weather", "{not json");
  const told = (messages: readonly Message[]) => messages.at(-1)?.content;
  await using model = await scriptedModel([{ prompt: asked, answer: spoken(wrong) }]);
  const heard: Message[][] = [];
  const speaker = {
    async *generate(...[prompt, options]: Parameters<typeof model.generate>) {
      heard.push([...(prompt as readonly Message[])]);
      return yield* model.generate(heard.length === 1 ? prompt : asked, options);
    },
  };
  await expect(answerWithTools(speaker, question, { tools: [getWeather], rounds: 2 })).rejects.toThrow(
    "no answer after 2 rounds of calls",
  );
  expect(told(heard[1]!)).toMatch(/^\{"error":".*JSON.*"\}$/);
});
