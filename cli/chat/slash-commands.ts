/** What begins with a slash in a chat is for the chat itself. */
import { writeFile } from "node:fs/promises";
import type { Conversation } from "./conversation.ts";

// Public API

/** What people see first. */
export const slashHelp = `Ask away. Ctrl-C interrupts an answer; /help says more.`;

/** What became of a line: it was a command, it ends the chat, or it is a question. */
export type Slash = "done" | "end" | { readonly question: string };

/** Runs a command, if the line is one. Two slashes at the beginning are a question that begins with one. */
export async function runSlash(line: string, conversation: Conversation): Promise<Slash> {
  const [, word = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  if (!line.startsWith("/")) return { question: line };
  if (word.startsWith("/")) return { question: line.slice(1) };
  switch (word) {
    case "help":
      say(help);
      return "done";
    case "reset":
      conversation.reset();
      say("(what was said is forgotten)");
      return "done";
    case "save":
      await save(rest.trim(), conversation);
      return "done";
    case "quit":
    case "exit":
      return "end";
    default:
      say(`tsxla: /${word} is none of /help, /reset, /save, /quit; to ask it, begin with two slashes`);
      return "done";
  }
}

// Implementation

const help = `/reset        forget what was said
/save FILE    write what was said, as JSON
/quit         end; so does Ctrl-D, and Ctrl-C where no answer is under way
"""           begins a question of several lines, and ends it
//…           a question that begins with a slash`;

async function save(path: string, { messages }: Conversation): Promise<void> {
  if (path === "") {
    say("tsxla: /save needs the name of a file: /save chat.json");
    return;
  }
  try {
    await writeFile(path, `${JSON.stringify({ messages }, null, 2)}\n`);
    say(`(${messages.length} messages in ${path})`);
  } catch (error) {
    say(`tsxla: ${path} cannot be written: ${(error as Error).message}`);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
