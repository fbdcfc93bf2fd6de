import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { parseTopology } from "../../compiler/index.ts";
import { temporaryFolder } from "../../tests/support/cli.ts";
import { Progress } from "../progress.ts";
import { type ManifestWords, writeManifest } from "./manifest.ts";

const slice = parseTopology("tpu:v4:2x2x1");
const write = (words: ManifestWords, model = "gpt-oss-20b", topology: typeof slice | undefined = slice) =>
  writeManifest(words, model, topology, new Progress());

async function refusal(words: ManifestWords, model?: string, topology = slice): Promise<string> {
  const path = join(await temporaryFolder(), "workers.yaml");
  const error = await write({ manifest: path, ...words }, model, topology).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  await expect(readFile(path)).rejects.toThrow("ENOENT");
  return error?.message.replace(path, "PATH") ?? "none";
}

test("accepts every model and target when no manifest is asked for", async () => {
  await expect(write({})).resolves.toBeUndefined();
  // With a manifest both are refused: of the file a cluster does not know where it is, and no chips are named.
  await expect(write({}, "model.gguf")).resolves.toBeUndefined();
  await expect(writeManifest({}, "model.gguf", undefined, new Progress())).resolves.toBeUndefined();
});

test("names what is missing or wrong", async () => {
  const noTopology = writeManifest({ manifest: "x.yaml" }, "gpt-oss-20b", undefined, new Progress());
  await expect(noTopology).rejects.toThrowErrorMatchingInlineSnapshot(
    `"--manifest needs a target that says which chips and how many, such as --target tpu:v4:2x2x1 or cuda:h100:8"`,
  );
  expect(await refusal({}, "models/mine.gguf")).toMatchInlineSnapshot(
    `"where a cluster finds the weights of models/mine.gguf is not known: say --weights-from hub:OWNER/NAME, claim:NAME or gs://BUCKET/FOLDER"`,
  );
  expect(await refusal({ weightsFrom: "here" })).toMatchInlineSnapshot(
    `"--weights-from is 'here'; wanted hub:OWNER/NAME[@REVISION], claim:NAME or gs://BUCKET[/FOLDER]"`,
  );
  expect(await refusal({ weightsFrom: "gs://bucket" })).toMatchInlineSnapshot(
    `"--weights-from gs://bucket needs --service-account: the one that may read the bucket, through Workload Identity"`,
  );
  expect(await refusal({ name: "A" })).toMatchInlineSnapshot(
    `"--name is 'A'; wanted a lower-case letter, then letters, digits and '-', at most 45 in all"`,
  );
  expect(await refusal({}, undefined, parseTopology("tpu:v5e:4x2"))).toMatchInlineSnapshot(`
"GKE offers no slice tpu:v5e:4x2; the nearest is tpu:v5e:2x4: 8 chips on 1 host of 8
  offered  1x1, 2x2, 2x4, 4x4, 4x8, 8x8, 8x16, 16x16"
`);
  await expect(write({ cacheClaim: "compiled" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `"--cache-claim is about a manifest, and no --manifest FILE is asked for"`,
  );
  await expect(write({ manifest: "no/such/folder/x.yaml" })).rejects.toThrow(
    "no/such/folder/x.yaml cannot be written: ENOENT",
  );
});

test.each([
  ["gpt-oss-120b", "gpt-oss-120b"],
  ["checkpoints/Meta-Llama-3.1-8B-Q4_K.gguf", "meta-llama-3-1-8b-q4-k"],
  ["models/32b_Model/", "b-model"],
  ["/variants/windows.json", "windows"],
  ["../123", "tsxla"],
])("a model called %s becomes %s", async (model, name) => {
  const manifest = join(await temporaryFolder(), "workers.yaml");
  await write({ manifest, weightsFrom: "claim:weights" }, model);
  const [service = ""] = (await readFile(manifest, "utf8")).split("---\n").slice(1);
  expect((parse(service) as { metadata: { name: string } }).metadata.name).toBe(name);
});
