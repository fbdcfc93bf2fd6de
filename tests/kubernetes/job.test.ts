/**
 * Jobs on Kubernetes: goldens, Kubernetes' own schema, and the words that the orchestrator is started with.
 *
 * Goldens anew: npm run golden:update
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Command } from "commander";
import { parseAllDocuments } from "yaml";
import { jobsManifestCommand } from "../../cli/jobs/jobs-manifest.ts";
import { oneDevice, parseTopology } from "../../compiler/index.ts";
import { type JobManifestOptions, makeJobManifest, printJobManifest } from "../../deploy/kubernetes/index.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { refusalOf } from "../support/refusal.ts";
import { validator } from "./validator.ts";

const four: JobManifestOptions = {
  name: "gpt-oss-20b",
  namespace: "default",
  image: "registry.example/tsxla-worker:1",
  pullImage: "registry.example/tsxla:1",
  replicas: 4,
  weights: { kind: "claim", name: "weights" },
  root: "/models",
  model: "gpt-oss-20b",
  mesh: { ...oneDevice, expert: 4 },
  dataClaim: "requests",
  input: "today/requests.jsonl",
  output: "today/answers.jsonl",
  words: ["--batch", "16"],
};
const groups: JobManifestOptions = { ...four, replicas: 2, mesh: { ...oneDevice, model: 8 }, words: [] };

const goldens = [
  ["tpu:v4:2x2x1", four],
  ["tpu:v4:2x2x2", groups],
  ["cuda:h100:8", { ...four, replicas: 1, mesh: { ...oneDevice, model: 8 } }],
] as const;

test.each(goldens)("the job of %s is its golden", async (target, options) => {
  const path = join(root, `tests/kubernetes/golden/job-${target.replaceAll(":", "-")}.yaml`);
  const text = printJobManifest(parseTopology(target), options);
  if (process.env.UPDATE_GOLDENS === "1") await writeFile(path, text);
  expect(text).toBe(await readFile(path, "utf8"));
});

test("Kubernetes' schema takes the objects, and the YAML reads back as them", async () => {
  const problems = await validator();
  for (const [target, options] of goldens) {
    const { objects } = makeJobManifest(parseTopology(target), options);
    expect(objects.map(({ kind }) => kind).at(-1)).toBe("Job");
    expect(objects.flatMap(problems)).toEqual([]);
    const text = printJobManifest(parseTopology(target), options);
    expect(parseAllDocuments(text).map((document) => document.toJS() as unknown)).toEqual(objects);
    const broken = JSON.parse(JSON.stringify(objects.at(-1)).replace("backoffLimit", "backofLimit"));
    expect(problems(broken)).not.toEqual([]);
  }
});

describe("the orchestrator", () => {
  const container = (target: string, options: JobManifestOptions) => {
    const { objects } = makeJobManifest(parseTopology(target), options);
    const job = JSON.parse(JSON.stringify(objects.at(-1)));
    return job.spec.template.spec.containers[0] as { readonly args: readonly string[] };
  };
  const workersOf = (args: readonly string[]) => args.filter((_, n) => args[n - 1] === "--worker");

  test("is given every worker by the name that its certificate vouches for", () => {
    expect(workersOf(container("tpu:v4:2x2x1", four).args)).toEqual(
      [0, 1, 2, 3].map((n) => `grpcs://dns:gpt-oss-20b-${n}.gpt-oss-20b.default.svc:50051`),
    );
  });

  test("is given the hosts of one worker with commas, the leader first", () => {
    const [first] = workersOf(container("tpu:v4:2x2x2", groups).args);
    expect(first?.split(",")).toEqual([
      "grpcs://dns:gpt-oss-20b-0.gpt-oss-20b.default.svc:50051",
      "grpcs://dns:gpt-oss-20b-0-1.gpt-oss-20b.default.svc:50051",
    ]);
  });

  test("reads and writes on the claim, and sees the certificate without its key", () => {
    const { objects } = makeJobManifest(parseTopology("tpu:v4:2x2x1"), four);
    const { spec } = JSON.parse(JSON.stringify(objects.at(-1))).spec.template;
    const { args, volumeMounts } = spec.containers[0];
    expect(args.join(" ")).toContain("--input /data/today/requests.jsonl --output /data/today/answers.jsonl");
    expect(volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toContain("/data");
    expect(spec.volumes).toContainEqual({ name: "data", persistentVolumeClaim: { claimName: "requests" } });
    expect(JSON.stringify(spec.volumes)).not.toContain("tls.key");
  });

  test("is not started again for a wrong input, and never beside another", () => {
    const { objects } = makeJobManifest(parseTopology("tpu:v4:2x2x1"), four);
    const { spec } = JSON.parse(JSON.stringify(objects.at(-1)));
    expect(spec.podReplacementPolicy).toBe("Failed");
    expect(spec.podFailurePolicy.rules[0]).toEqual({
      action: "FailJob",
      onExitCodes: { containerName: "orchestrator", operator: "In", values: [2] },
    });
    expect(spec.template.spec.restartPolicy).toBe("Never");
  });
});

test.each([
  { input: "/etc/passwd" },
  { input: "../other.jsonl" },
  { output: "today/requests.jsonl" },
  { output: "" },
  { dataClaim: "Requests" },
  { model: "--json" },
  { replicas: 1001 },
] as Partial<JobManifestOptions>[])("an option that can't be is refused by its name: %j", (change) => {
  const refused = refusalOf(() => makeJobManifest(parseTopology("tpu:v4:2x2x1"), { ...four, ...change }));
  const [[name, found] = []] = Object.entries(change);
  const option = { dataClaim: "data-claim", replicas: "workers" }[name as string] ?? name;
  expect(refused).toContain(`--${option} is '${found}'; wanted `);
});

describe("jobs manifest", () => {
  const run = async (...words: string[]) => {
    const command = new Command("jobs").addCommand(jobsManifestCommand());
    await command.parseAsync(["manifest", ...words], { from: "user" });
  };
  const files = ["--data-claim", "requests", "--input", "requests.jsonl", "--output", "answers.jsonl"];

  test("writes what the library makes, the model as the hub's folder has it, devices along model", async () => {
    const file = join(await temporaryFolder(), "job.yaml");
    const words = ["--image", four.image, "--pull-image", four.pullImage, "--batch", "8", "--weights", "e5m2,bf16"];
    const chips = ["--target", "tpu:v5e:2x2", "--workers", "3"];
    await run("--model", "gpt-oss-20b", ...chips, ...files, ...words, "--file", file);
    const options: JobManifestOptions = {
      ...four,
      replicas: 3,
      weights: { kind: "hub", repository: "openai/gpt-oss-20b" },
      mesh: { ...oneDevice, model: 4 },
      input: "requests.jsonl",
      output: "answers.jsonl",
      words: ["--weights", "e5m2,bf16", "--batch", "8"],
    };
    expect(await readFile(file, "utf8")).toBe(printJobManifest(parseTopology("tpu:v5e:2x2"), options));
  });

  test("refuses a target without chips, and a mesh that does not suit the model, before anything is written", async () => {
    const file = join(await temporaryFolder(), "job.yaml");
    const words = ["--model", "gpt-oss-20b", "--workers", "1", ...files, "--file", file];
    await expect(run(...words, "--target", "tpu")).rejects.toThrow(/a job needs to be told which chips, and how many/);
    await expect(run(...words, "--target", "tpu:v4:2x2x4", "--mesh", "model=16")).rejects.toThrow(
      /splits none of the heads over model=16.*expert=16,model=1/s,
    );
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });
});
