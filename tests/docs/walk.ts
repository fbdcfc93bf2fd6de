/**
 * Walks a page of the documentation: writes its files, makes its changes, runs its commands, and holds what they say to
 * what the page says.
 *
 *     ```ts layer.ts      a file
 *     ```diff layer.ts    a change of one: lines with - are there, and become the lines with +
 *     ```console          commands after $, and what each says; … stands for anything, on a line of its own for any lines
 */
import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

// Public API

/** How a page is walked. */
export interface WalkOptions {
  /** Where its files are. It must exist. */
  readonly folder: string;
  /** What stands for the first word of a command, such as `npx`; absent ones are run as they are. */
  readonly commands?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
  /** Called after each command that said what the page says. */
  readonly onStep?: (command: string, said: string) => void;
}

/** Walks a page and throws at the first thing that is not as it says. */
export async function walkPage(page: string, options: WalkOptions): Promise<void> {
  for (const { language, name, body } of blocksOf(page)) {
    if (language === "console") for (const step of stepsOf(body)) await runStep(step, options);
    else if (language === "diff") await change(join(options.folder, name), body);
    else if (name !== "") {
      const path = join(options.folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, body);
    } else throw new Error(`a block of ${language || "nothing"} has no file's name, so nobody runs it:\n${body}`);
  }
}

/** What a page's commands are, for tests that it has some. */
export function commandsOf(page: string): readonly string[] {
  return blocksOf(page).flatMap(({ language, body }) =>
    language === "console" ? stepsOf(body).map(({ command }) => command) : [],
  );
}

/** A page's file as it is first written. @throws Error when the page has no such file */
export function fileOf(page: string, name: string): string {
  const found = blocksOf(page).find((block) => block.name === name && !["diff", "console"].includes(block.language));
  if (found === undefined) throw new Error(`the page has no file ${name}`);
  return found.body;
}

// Implementation

interface Block {
  readonly language: string;
  readonly name: string;
  readonly body: string;
}

interface Step {
  readonly command: string;
  readonly expected: string;
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w*)[ ]?(\S*)\n([\s\S]*?)^```$/gm)].map(([, language = "", name = "", body = ""]) => ({
    language,
    name,
    body,
  }));
}

function stepsOf(transcript: string): Step[] {
  const steps: { command: string; expected: string }[] = [];
  for (const line of transcript.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), expected: "" });
    else (steps.at(-1) as { expected: string }).expected += `${line}\n`;
  }
  return steps;
}

async function change(path: string, body: string): Promise<void> {
  const lines = body.trimEnd().split("\n");
  const side = (sign: string) =>
    lines
      .filter((line) => !line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  const text = await readFile(path, "utf8");
  if (!text.includes(side("+"))) throw new Error(`${path} has no lines as the page says:\n${side("+")}`);
  await writeFile(
    path,
    text.replace(side("+"), () => side("-")),
  );
}

async function runStep({ command, expected }: Step, options: WalkOptions): Promise<void> {
  const { folder, commands = {}, env = {} } = options;
  const written = command.replace(/^\S+(?: tsxla| tsc)?/, (words) => commands[words] ?? words);
  const said = await new Promise<string>((resolve, reject) => {
    const child = spawn("sh", ["-c", written], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    // In the order in which it was said, as a terminal shows it.
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
  if (!patternOf(expected).test(said)) {
    throw new Error(`$ ${command}\nsaid\n${said}\nand the page says\n${expected}`);
  }
  options.onStep?.(command, said);
}

/** The page's text, with … for what changes from one run to the next. */
function patternOf(expected: string): RegExp {
  const lines = expected.split("\n").slice(0, -1);
  const patterns = lines.map((line) => {
    if (line === "…") return "(?:.*\\n)*?";
    const words = line.split("…").map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return `${words.join(".*")}[ ]*\\n`;
  });
  return new RegExp(`^${patterns.join("")}$`);
}
