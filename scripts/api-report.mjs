/**
 * Writes down every public name with its signature: `docs/api-report.txt`, made from the declarations that tsc emits.
 *
 *     node scripts/api-report.mjs            writes it (npm run api:update)
 *     node scripts/api-report.mjs --print    prints it
 *
 * A change of the public face is then a line of a commit's difference. Comments and private members are left out; what
 * files add to another's interface, as each op does to `Tensor`, stands with it.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { emit } from "./build.mjs";
import { root, runScript, setup } from "./setup.mjs";

export const reportPath = join(root, "docs/api-report.txt");

/** The report's text. */
export function apiReport() {
  const folder = mkdtempSync(join(tmpdir(), "tsxla-api-"));
  try {
    emit(folder, { declarations: true });
    const files = new Map(
      readdirSync(folder, { recursive: true })
        .map((path) => join(folder, String(path)))
        .filter((path) => path.endsWith(".d.ts"))
        .map((path) => [path, readDeclarations(path)]),
    );
    const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const sections = Object.entries(exports).flatMap(([entry, { "tsxla-source": source } = {}]) => {
      if (source === undefined) return [];
      const title = entry.replace(/^\./, name);
      const path = declarationPath(folder, source);
      const whole = entriesWithin(path, files, { name, exports, folder });
      const names = exportsOf(path, files, [...whole.values()]);
      const texts = [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, texts]) => texts.join("\n"));
      const all = [...[...whole.keys()].map((each) => `export * from "${each}";`), ...texts];
      return [`${title}\n${"=".repeat(title.length)}\n\n${all.join("\n\n")}\n`];
    });
    return `Public names, made by \`npm run api:update\` from the declarations. Compared by tests/api/api.test.ts.\n\n${sections.join("\n\n")}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file's statements, by what they do. */
function readDeclarations(path) {
  const own = new Map();
  const links = [];
  const imports = new Map();
  const additions = [];
  for (const statement of statements(withoutComments(readFileSync(path, "utf8")))) {
    const target = /\bfrom\s+"([^"]+)";?$/.exec(statement)?.[1];
    const list = /^(?:import|export)\s+(?:type\s+)?\{([^}]*)\}/.exec(statement)?.[1];
    const names = (list ?? "").split(",").flatMap((each) => {
      const [, from, to] = /^\s*(?:type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?\s*$/.exec(each) ?? [];
      return from === undefined ? [] : [{ from, to: to ?? from }];
    });
    if (statement.startsWith("import")) for (const { from, to } of names) imports.set(to, { from, target });
    else if (statement.startsWith("declare module")) additions.push(statement);
    else if (statement.startsWith("export *")) links.push({ all: target });
    else if (list !== undefined) for (const { from, to } of names) links.push({ from, to, target });
    else {
      const name =
        /^(?:export )?(?:declare )?(?:abstract )?(?:function|class|interface|type|const|let|enum)\s+([\w$]+)/.exec(
          statement,
        )?.[1];
      if (name === undefined) continue;
      const known = own.get(name) ?? { exported: false, texts: [] };
      own.set(name, {
        exported: known.exported || statement.startsWith("export"),
        texts: [...known.texts, publicText(statement)],
      });
    }
  }
  return { own, links, imports, additions };
}

const declarationPath = (folder, source) => join(folder, source).replace(/\.ts$/, ".d.ts");

/** Entries that an entry re-exports whole: their names stand in their own sections. */
function entriesWithin(path, files, { name, exports, folder }) {
  const links = files.get(path).links.flatMap(({ all }) => (all === undefined ? [] : [follow(path, all)]));
  const entries = Object.entries(exports).flatMap(([entry, { "tsxla-source": source } = {}]) =>
    source === undefined ? [] : [[entry.replace(/^\./, name), declarationPath(folder, source)]],
  );
  return new Map(entries.filter(([, of]) => links.includes(of)));
}

/** Names that a file exports, each with its declarations. @param without  files that are re-exported whole and left out */
function exportsOf(path, files, without = []) {
  const { own, links } = files.get(path);
  const found = new Map();
  for (const [name, { exported, texts }] of own)
    if (exported) found.set(name, [...texts, ...additionsTo(name, path, files)]);
  for (const { all, from, to, target } of links) {
    if (all !== undefined && without.includes(follow(path, all))) continue;
    if (all !== undefined) for (const [name, texts] of exportsOf(follow(path, all), files)) found.set(name, texts);
    else if (target !== undefined && !target.startsWith("."))
      found.set(to, [`const ${to}: of the package "${target}"`]);
    else found.set(to, declarationsOf(from, target === undefined ? path : follow(path, target), files));
  }
  return found;
}

function declarationsOf(name, path, files) {
  const { own, links, imports } = files.get(path);
  if (own.has(name)) return [...own.get(name).texts, ...additionsTo(name, path, files)];
  const link = links.find(({ to }) => to === name);
  if (link !== undefined) return declarationsOf(link.from, follow(path, link.target), files);
  if (imports.has(name)) return declarationsOf(imports.get(name).from, follow(path, imports.get(name).target), files);
  for (const { all } of links) {
    const texts = all === undefined ? undefined : exportsOf(follow(path, all), files).get(name);
    if (texts !== undefined) return texts;
  }
  throw new Error(`${path} exports ${name}, and has no declaration of it`);
}

/** What other files add to an interface of this file. */
function additionsTo(name, path, files) {
  return [...files].flatMap(([from, { additions }]) =>
    additions.flatMap((text) => {
      const target = /^declare module "([^"]+)"/.exec(text)[1];
      if (!target.startsWith(".") || follow(from, target) !== path) return [];
      return statements(text.slice(text.indexOf("{") + 1, -1))
        .filter((inner) => new RegExp(`^interface ${name}\\b`).test(inner))
        .map((inner) => publicText(inner));
    }),
  );
}

const follow = (path, target) => {
  const wanted = resolve(dirname(path), target.replace(/\.ts$/, ".d.ts"));
  if (!existsSync(wanted)) throw new Error(`${path} names ${target}, which is not among the declarations`);
  return wanted;
};

/** As a user reads it: no words of declaration files, no private members, types by their names. */
function publicText(statement) {
  return statement
    .replace(/^export /, "")
    .replace(/^declare /, "")
    .replaceAll(/^ +/gm, (spaces) => spaces.slice(spaces.length / 2))
    .replaceAll(/import\("[^"]+"\)\./g, "")
    .replaceAll(/^\s*(?:#private|private (?:readonly )?[^(]*?|private constructor\([\s\S]*?\));\n/gm, "")
    .replaceAll(/\n\s*\n/g, "\n");
}

/** Statements of a declaration file: those with a body end with its brace, others with a semicolon. */
function statements(text) {
  const found = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"' || letter === "'" || letter === "`") at = text.indexOf(letter, at + 1);
    else if ("({[".includes(letter)) depth++;
    else if (")}]".includes(letter)) depth--;
    const isBody =
      /^\s*(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:interface|class|module|namespace|global|enum)\b/;
    const ends = depth === 0 && (letter === ";" || (letter === "}" && isBody.test(text.slice(start, at))));
    if (!ends) continue;
    found.push(dedent(text.slice(start, at + 1)));
    start = at + 1;
  }
  return found;
}

/** A statement of a nested block, as far to the left as one that is not. */
function dedent(text) {
  const lines = text.replace(/^\s*\n/, "").split("\n");
  const indent = /^ */.exec(lines[0])[0].length;
  return lines
    .map((line) => line.slice(Math.min(indent, /^ */.exec(line)[0].length)))
    .join("\n")
    .trim();
}

const withoutComments = (text) =>
  text.replaceAll(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, kept) => kept ?? "",
  );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    await setup();
    if (process.argv.includes("--print")) process.stdout.write(apiReport());
    else writeFileSync(reportPath, apiReport());
  });
}
