/** What Kubernetes' and LeaderWorkerSet's own schemas say of an object (make_schemas.py). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import { root } from "../support/cli.ts";

/** Makes a function that lists what is wrong with an object; nothing where all is well. */
export async function validator(): Promise<(object: unknown) => string[]> {
  const { kinds, definitions } = JSON.parse(
    await readFile(join(root, "tests/kubernetes/fixtures/schemas.json"), "utf8"),
  ) as { kinds: Record<string, object>; definitions: object };
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const compiled = new Map(
    Object.entries(kinds).map(([kind, schema]) => [kind, ajv.compile({ ...schema, definitions })]),
  );
  return (object) => {
    const { kind } = object as { readonly kind: string };
    const check = compiled.get(kind);
    if (check === undefined) return [`there is no schema of ${kind}`];
    return check(object)
      ? []
      : (check.errors ?? []).map(({ instancePath, message }) => `${kind}${instancePath} ${message}`);
  };
}
