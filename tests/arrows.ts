/**
 * The arrows between folders, and what breaks them.
 *
 * A file may import from its own room and from the rooms that its arrows reach. A room is a folder of this table with all
 * below it that the table does not list. Tests, and folders outside the table, may import anything; nothing in the table
 * may import them.
 */

// Public API

/** Who may import whom; arrows are transitive. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  dsl: [],
  chips: ["dsl"],
  compiler: ["dsl", "chips"],
  models: ["dsl"],
  proto: [],
  "runtime-bridge": ["proto", "compiler"],
  "inference/text": ["models"],
  "inference/harmony": ["inference/text"],
  "inference/sampling": ["models"],
  "inference/programs": ["compiler", "runtime-bridge", "inference/harmony", "inference/sampling"],
  "inference/steps": ["inference/programs"],
  "inference/debugging": ["inference/steps"],
  "inference/answers": ["inference/debugging"],
  "inference/batching": ["inference/answers"],
  inference: ["inference/batching"],
  openai: ["inference"],
  jobs: ["openai", "files"],
  planning: ["inference"],
  files: [],
  hub: ["dsl", "files"],
  deploy: ["compiler"],
  testing: ["compiler", "runtime-bridge"],
  cli: ["inference", "jobs", "planning", "hub", "testing", "deploy"],
};

/** The folders that run in a browser, a worker or anywhere: no Node API. */
export const pure: readonly string[] = ["dsl", "chips", "compiler", "models", "planning", "deploy"];

/**
 * Public entries that offer names of rooms above their own. They promise these names since before those rooms stood
 * apart, and only re-export them: no file of their own room imports such an entry for them.
 */
const entries: Readonly<Record<string, readonly string[]>> = {
  "compiler/index.ts": ["planning"],
  "inference/index.ts": ["openai", "jobs"],
};

/** What this package's own name means in an import. */
const ownNames: Readonly<Record<string, string>> = {
  tsxla: "dsl/index.ts",
  "tsxla/compiler": "compiler/index.ts",
  "tsxla/models": "models/index.ts",
  "tsxla/inference": "inference/index.ts",
  "tsxla/testing": "testing/index.ts",
  "tsxla/hub": "hub/index.ts",
  "tsxla/harmony": "inference/harmony/index.ts",
};

/** A file's path from the root, and its text. */
export type Sources = ReadonlyMap<string, string>;

/** Every broken rule as a sentence that names the file. */
export function findBroken(sources: Sources): string[] {
  const problems: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, source] of sources) {
    const folder = folderOf(path);
    if (!(folder in arrows) || isTest(path)) continue;
    const imports = importsOf(source).map(({ name }) => ({ name, target: resolveImport(path, name) }));
    for (const { name, target } of imports) {
      if (target === undefined) {
        if (pure.includes(folder) && isNodeApi(name))
          problems.push(`${path} imports ${name}: ${folder}/ knows no Node`);
        continue;
      }
      const to = folderOf(target);
      if (to !== folder && !reachable(folder).has(to) && !entries[path]?.includes(to))
        problems.push(`${path} imports ${target}: no arrow leads from ${folder}/ to ${to}/`);
      else if (isTest(target)) problems.push(`${path} imports ${target}: a test is imported by tests only`);
    }
    if (pure.includes(folder)) {
      for (const global of nodeGlobals(source)) problems.push(`${path} uses ${global}: ${folder}/ knows no Node`);
    }
    graph.set(
      path,
      imports.flatMap(({ target }) => (target && sources.has(target) ? [target] : [])),
    );
  }
  for (const chain of findCircles(graph)) problems.push(`a circle of imports: ${chain.join(" → ")}`);
  return problems;
}

/** The imports of a source, dynamic ones and re-exports included. `import type` is erased, and loads nothing. */
export function importsOf(source: string): { readonly name: string; readonly typeOnly: boolean }[] {
  const code = withoutComments(source);
  const statements = /(?:^|[;}\n])\s*(?:import|export)\s+(type\s+)?(?:[\w$*\s{},]+?\sfrom\s*)?["']([^"'\n]+)["']/g;
  const calls = /\bimport\s*\(\s*["']([^"'\n]+)["']/g;
  return [
    ...Array.from(code.matchAll(statements), ([, type, name = ""]) => ({ name, typeOnly: type !== undefined })),
    ...Array.from(code.matchAll(calls), ([, name = ""]) => ({ name, typeOnly: false })),
  ];
}

// Implementation

/** The innermost room that the table draws, or the top folder. */
function folderOf(path: string): string {
  const parts = path.split("/").slice(0, -1);
  for (let length = parts.length; length > 0; length--) {
    const folder = parts.slice(0, length).join("/");
    if (folder in arrows) return folder;
  }
  return parts[0] ?? "";
}

const isTest = (path: string): boolean => /\.test(-d)?\.ts$|(^|\/)(tests|fixtures)\//.test(path);
const isNodeApi = (name: string): boolean => name.startsWith("node:") || builtins.has(name.split("/")[0] ?? "");
const builtins = new Set(
  "assert buffer child_process crypto events fs http https module net os path perf_hooks process stream tls tty url util v8 vm worker_threads zlib".split(
    " ",
  ),
);

/** Only uses that can be nothing else. */
const nodeGlobals = (source: string): string[] =>
  ["process", "Buffer", "__dirname", "require"].filter((name) =>
    new RegExp(`(?<![\\w$.#"'\`])${name}\\s*[.(]`).test(
      withoutComments(source).replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""'),
    ),
  );

/** Comments become spaces; what looks like one inside a string stays. */
const withoutComments = (source: string): string =>
  source.replaceAll(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, text?: string) => text ?? " ",
  );

function reachable(folder: string, seen = new Set<string>()): Set<string> {
  for (const next of arrows[folder] ?? []) {
    if (seen.has(next)) continue;
    seen.add(next);
    reachable(next, seen);
  }
  return seen;
}

function resolveImport(from: string, name: string): string | undefined {
  if (!name.startsWith(".")) return ownNames[name];
  const parts = from.split("/").slice(0, -1);
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** One chain for each circle that a depth-first walk meets; it begins and ends with the same file. */
function findCircles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const finished = new Set<string>();
  const walk = (path: string, chain: readonly string[]): void => {
    const at = chain.indexOf(path);
    if (at >= 0) circles.push([...chain.slice(at), path]);
    if (at >= 0 || finished.has(path)) return;
    for (const next of imports.get(path) ?? []) walk(next, [...chain, path]);
    finished.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return circles;
}
