/**
 * docs/batch-format.md tells the fields that the schemas have.
 *
 * Anew: npm run fields:update
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { chatFields } from "../../openai/chat-request.ts";
import { completionFields } from "../../openai/completion-request.ts";
import type { FieldMeta } from "../../openai/field-kinds.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = `${root}docs/batch-format.md`;
const begin = "<!-- fields: made by `npm run fields:update` from inference/jobs -->\n";
const end = "<!-- end -->";

test("the table of fields is the one that the schemas make", () => {
  const [before, rest = ""] = readFileSync(page, "utf8").split(begin);
  const [table = "", after] = rest.split(end);
  const wanted = tableOf();
  if (process.env.UPDATE_FIELDS === "1") writeFileSync(page, `${before}${begin}${wanted}${end}${after}`);
  else expect(table).toBe(wanted);
});

test("the program of the page compiles", async () => {
  const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(readFileSync(page, "utf8")) ?? [];
  expect(code).toContain("readJobLine(");
  const folder = `${root}.cache/batch-format`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/respond.ts`, code);
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ extends: "../../tsconfig.json", include: ["respond.ts"] }));
  await promisify(execFile)("node", [`${root}node_modules/typescript/bin/tsc`, "-p", folder], { cwd: root });
});

// Implementation

interface Described {
  meta(): unknown;
}

/** A line for each field, with what both kinds of request say of it. */
function tableOf(): string {
  const chat: Readonly<Record<string, Described>> = chatFields;
  const completion: Readonly<Record<string, Described>> = completionFields;
  const rows = [...new Set([...Object.keys(chat), ...Object.keys(completion)])].map((field) => {
    const told = [chat[field], completion[field]].map((schema) => schema?.meta() as FieldMeta | undefined);
    const [inChat, inCompletion] = told.map((meta) => meta?.support ?? "–");
    const notes = [...new Set(told.flatMap((meta) => (meta === undefined ? [] : [meta.note])))].join(
      "; in completions ",
    );
    return `| \`${field}\` | ${inChat} | ${inCompletion} | ${notes} |\n`;
  });
  return `| field | chat | completion | |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}
