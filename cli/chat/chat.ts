/** `tsxla chat`: a conversation on a terminal, or one whose questions are the lines of stdin. */
import type { Command } from "commander";
import type { ReasoningEffort } from "../../inference/harmony/index.ts";
import { type ModelOptions, openModelOn, openWorker, withModel } from "../options.ts";
import { Progress } from "../progress.ts";
import { reasoningOption, type SamplingFlags, sampling, withSampling } from "../sampling.ts";
import { Conversation } from "./conversation.ts";
import { type QuestionSource, questionsFrom } from "./questions.ts";
import { runSlash, slashHelp } from "./slash-commands.ts";

// Public API

export function chatCommand(command: Command, signal: AbortSignal): Command {
  withModel(command)
    .option("--system <text>", "instructions that hold for the whole chat")
    .addOption(reasoningOption());
  return withSampling(command, { maxTokens: answerTokens }).action((options: ChatCommandOptions) =>
    run(options, signal),
  );
}

// Implementation

/** How many tokens an answer has at most, thoughts included. */
const answerTokens = 1024;

interface ChatCommandOptions extends ModelOptions, SamplingFlags {
  readonly system?: string;
  readonly reasoning?: ReasoningEffort;
}

async function run(options: ChatCommandOptions, signal: AbortSignal): Promise<void> {
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
  await using conversation = new Conversation(model, {
    system: options.system,
    generate: { maxTokens: answerTokens, ...sampling(options), reasoning: options.reasoning },
  });
  using interrupts = takeInterrupts(signal);
  const questions = questionsFrom(process.stdin, process.stdout);
  if (questions.isTerminal) progress.say(slashHelp);
  await converse(conversation, questions, interrupts);
}

/** Questions and answers, until there are no more. */
async function converse(conversation: Conversation, questions: QuestionSource, interrupts: Interrupts): Promise<void> {
  try {
    for (;;) {
      const question = await questions.next(interrupts.begin());
      if (question === undefined) return;
      const slash = await runSlash(question, conversation);
      if (slash === "end") return;
      if (slash === "done") continue;
      await conversation.ask(slash.question, interrupts.begin());
    }
  } finally {
    questions.close();
  }
}

/** Ctrl-C, while it means less than the end of the program. */
interface Interrupts extends Disposable {
  /** What the next interruption aborts. */
  begin(): AbortSignal;
}

/**
 * Takes the process's interruptions over: each aborts what is under way now.
 *
 * @param whole  what one that came before has aborted already
 */
function takeInterrupts(whole: AbortSignal): Interrupts {
  whole.throwIfAborted();
  let current = new AbortController();
  const others = process.listeners("SIGINT");
  const abort = () => {
    // Something cannot be interrupted, such as a compilation: this one means it.
    if (current.signal.aborted) process.exit(130);
    current.abort(new DOMException("interrupted", "AbortError"));
  };
  process.removeAllListeners("SIGINT").on("SIGINT", abort);
  return {
    begin() {
      current = new AbortController();
      return current.signal;
    },
    [Symbol.dispose]() {
      process.off("SIGINT", abort);
      for (const other of others) process.on("SIGINT", other);
    },
  };
}
