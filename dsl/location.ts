/**
 * Where in TypeScript an op was made, and in which module of the model.
 *
 * The line comes from a stack trace: hosts that run transformed TypeScript map stacks back to their sources (Node with
 * source maps on, Jest). Paths are cut at a known root, so that two checkouts of one model give the same bytes.
 */

// Public API

/** A line of a source file. `file` is relative to a known root where there is one; lines and columns count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Adds a folder, as an absolute path, below which files are named relative to it. The longest match wins. */
export function addSourceRoot(path: string): void {
  const root = path.endsWith("/") ? path : `${path}/`;
  if (!roots.includes(root)) roots.push(root);
  roots.sort((a, b) => b.length - a.length);
}

/** `models/llama.ts:41:12`. */
export function formatLocation({ file, line, column }: Location): string {
  return `${file}:${line}:${column}`;
}

/**
 * The innermost line outside the language itself (its ops and binders), which is the line that its user wrote.
 *
 * The stack is captured now and read when somebody asks: a model of thirty layers makes thousands of ops, prints one
 * layer, and reading a stack through source maps takes thirty times as long as capturing it.
 */
export function callerLocation(): Location {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = deepest;
  const captured = new Error();
  Error.stackTraceLimit = limit;
  return new CapturedLocation(captured);
}

// Implementation

/**
 * How many calls of the language lie at most between a user's line and here: a dozen in a binder, and above thirty where a
 * binder picks an entry of a packed weight. Each costs a source map when it is read.
 */
const deepest = 48;

const here = fileUrlToPath(import.meta.url);
const languageRoot = here.slice(0, here.lastIndexOf("/") + 1);
const packageRoot = languageRoot.slice(0, languageRoot.lastIndexOf("/", languageRoot.length - 2) + 1);
const roots: string[] = [packageRoot];

class CapturedLocation implements Location {
  #captured: Error | undefined;
  #read: Location | undefined;

  constructor(captured: Error) {
    this.#captured = captured;
  }

  get file(): string {
    return this.#location().file;
  }

  get line(): number {
    return this.#location().line;
  }

  get column(): number {
    return this.#location().column;
  }

  #location(): Location {
    if (this.#read === undefined) {
      this.#read = userFrame(this.#captured?.stack ?? "");
      this.#captured = undefined;
    }
    return this.#read;
  }
}

function userFrame(stack: string): Location {
  let fallback: Location | undefined;
  for (const line of stack.split("\n").slice(1)) {
    const frame = parseFrame(line);
    if (frame === undefined) continue;
    if (!isLanguage(frame.file)) return { ...frame, file: relative(frame.file) };
    fallback ??= frame;
  }
  return { file: relative(fallback?.file ?? "unknown"), line: fallback?.line ?? 1, column: fallback?.column ?? 1 };
}

/** Layers are written in the language and read like model code, so their lines count as the user's. */
function isLanguage(file: string): boolean {
  return (
    file.startsWith("node:") ||
    (file.startsWith(languageRoot) && !file.startsWith(`${languageRoot}layers/`) && !file.endsWith(".test.ts"))
  );
}

function parseFrame(line: string): Location | undefined {
  const match = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/]|node:)[^()]*?):(\d+):(\d+)\)?$/.exec(line);
  if (match === null) return undefined;
  return { file: fileUrlToPath(match[1] as string), line: Number(match[2]), column: Number(match[3]) };
}

function relative(file: string): string {
  const root = roots.find((candidate) => file.startsWith(candidate));
  return root === undefined ? file : file.slice(root.length);
}

function fileUrlToPath(url: string): string {
  return url.startsWith("file://") ? decodeURIComponent(new URL(url).pathname) : url;
}
