/**
 * Manifests: their goldens, what Kubernetes' own schemas say of them, and a worker started by their words.
 *
 * Goldens anew: npm run golden:update
 */
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { parse, parseAllDocuments } from "yaml";
import { chipsOf } from "../../chips/index.ts";
import { parseTopology } from "../../compiler/index.ts";
import { type ManifestOptions, makeManifest, offeredShapes, printManifest } from "../../deploy/kubernetes/index.ts";
import { Worker } from "../../runtime-bridge/index.ts";
import { root, runCli, startCli, temporaryFolder } from "../support/cli.ts";
import { validator } from "./validator.ts";
import "../support/needs-python.ts";

const hub: ManifestOptions = {
  name: "gpt-oss-20b",
  namespace: "default",
  image: "registry.example/tsxla-worker:1",
  pullImage: "registry.example/tsxla:1",
  replicas: 1,
  weights: { kind: "hub", repository: "openai/gpt-oss-20b" },
  root: "/models",
};
const claim: ManifestOptions = { ...hub, weights: { kind: "claim", name: "weights" }, cacheClaim: "compiled" };
const bucket: ManifestOptions = {
  ...hub,
  weights: { kind: "gcs", bucket: "models", folder: "gpt-oss" },
  serviceAccount: "reader",
};

const guide = await readFile(join(root, "docs/kubernetes.md"), "utf8");

const goldens: readonly (readonly [target: string, options: ManifestOptions])[] = [
  ["tpu:v4:2x2x1", hub],
  ["tpu:v4:2x2x4", { ...claim, replicas: 2 }],
  ["tpu:v5e:2x4", bucket],
  ["tpu:v6e:4x4", hub],
  ["cuda:h100:8", claim],
];

test.each(goldens)("the manifest of %s is its golden", async (target, options) => {
  const path = join(root, `tests/kubernetes/golden/${target.replaceAll(":", "-")}.yaml`);
  const text = printManifest(parseTopology(target), options);
  if (process.env.UPDATE_GOLDENS === "1") await writeFile(path, text);
  expect(text).toBe(await readFile(path, "utf8"));
});

describe("what Kubernetes and LeaderWorkerSet say of their objects", () => {
  test("holds for every target with every kind of weights, and for what the YAML reads back as", async () => {
    const problems = await validator();
    const slices = chipsOf("tpu").flatMap(({ name }) =>
      offeredShapes(name)
        .slice(0, 5)
        .map((shape) => `tpu:${name}:${shape.join("x")}`),
    );
    const boxes = chipsOf("cuda").flatMap(({ name, nodes }) =>
      (nodes?.gpusPerHost ?? []).map((count) => `cuda:${name}:${count}`),
    );
    for (const target of [...slices, ...boxes]) {
      for (const options of [hub, claim, bucket, { ...hub, replicas: 3, serviceAccount: "a", namespace: "b" }]) {
        const topology = parseTopology(target);
        const { objects } = makeManifest(topology, options);
        const read = parseAllDocuments(printManifest(topology, options)).map((document) => document.toJS() as unknown);
        expect(read).toEqual(objects);
        expect(objects.flatMap(problems)).toEqual([]);
      }
    }
  });

  test("is broken by a misspelt field, a wrong type and a missing field, wherever they are", async () => {
    const problems = await validator();
    const broken = (target: string, change: (text: string) => string) =>
      makeManifest(parseTopology(target), claim).objects.flatMap((object) =>
        problems(JSON.parse(change(JSON.stringify(object)))),
      );
    for (const target of ["tpu:v4:2x2x1", "tpu:v4:2x2x4", "cuda:h100:8"]) {
      expect(broken(target, (text) => text)).toEqual([]);
      for (const [from, to] of [
        ["failureThreshold", "failureTreshold"],
        ['"containerPort":50051', '"containerPort":"50051"'],
        ["clusterIP", "clusterIp"],
        ["readOnly", "readonly"],
        ["tolerations", "toleration"],
        ["fsGroup", "fsgroup"],
        ['"mountPath":', '"path":'],
        ["matchExpressions", "matchExpression"],
      ] as const) {
        const touched = JSON.stringify(makeManifest(parseTopology(target), claim).objects).includes(from);
        expect([target, from, broken(target, (text) => text.replace(from, to)).length > 0]).toEqual([
          target,
          from,
          touched,
        ]);
      }
    }
    expect(broken("tpu:v4:2x2x4", (text) => text.replace("RecreateGroupOnPodRestart", "Recreate")).join()).toMatch(
      /restartPolicy must be equal to one of the allowed values/,
    );
    expect(broken("tpu:v4:2x2x4", (text) => text.replace('"size"', '"sizes"')).join()).toMatch(/additional properties/);
  });
});

test("what is mounted is a volume, what selects finds the pods, and requests are the host's chips", () => {
  for (const [target, options] of goldens) {
    const [service, workload] = makeManifest(parseTopology(target), options).objects as unknown as readonly [Any, Any];
    const several = workload.kind === "LeaderWorkerSet";
    const pod = several ? workload.spec.leaderWorkerTemplate.workerTemplate : workload.spec.template;
    const volumes = pod.spec.volumes.map(({ name }: Any) => name);
    const mounts = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(
      (each: Any) => each.volumeMounts,
    );
    expect(mounts.map(({ name }: Any) => name).filter((name: string) => !volumes.includes(name))).toEqual([]);
    expect(new Set(mounts.map(({ name }: Any) => name))).toEqual(new Set(volumes));
    const [worker] = pod.spec.containers;
    expect(service.spec.ports[0].targetPort).toBe(worker.ports[0].name);
    expect(worker.args).toContain(`0.0.0.0:${worker.ports[0].containerPort}`);
    expect(worker.resources.limits).toMatchObject(
      target.startsWith("cuda") ? { "nvidia.com/gpu": "8" } : { "google.com/tpu": target.includes("v5e") ? "8" : "4" },
    );
    if (several) {
      // Its controller puts this label on its pods, and their addresses into their environment.
      expect(service.spec.selector).toEqual({ "leaderworkerset.sigs.k8s.io/name": workload.metadata.name });
      expect(worker.args.join(" ")).toMatch(
        /--coordinator \$\(LWS_LEADER_ADDRESS\):55527 --num-processes \$\(LWS_GROUP_SIZE\) --process-id \$\(LWS_WORKER_INDEX\)$/,
      );
      expect(workload.spec.leaderWorkerTemplate.size).toBe(4);
    } else {
      expect(pod.metadata.labels).toMatchObject(service.spec.selector);
      expect(workload.spec.selector.matchLabels).toEqual(service.spec.selector);
      expect(workload.spec.serviceName).toBe(service.metadata.name);
      expect(worker.args.join(" ")).not.toContain("LWS");
    }
  }
});

test("addresses name every host of every copy, leaders first", () => {
  const { addresses } = makeManifest(parseTopology("tpu:v4:2x2x2"), { ...hub, name: "w", namespace: "n", replicas: 2 });
  expect(addresses).toEqual([
    ["grpcs://dns:w-0.w.n.svc:50051", "grpcs://dns:w-0-1.w.n.svc:50051"],
    ["grpcs://dns:w-1.w.n.svc:50051", "grpcs://dns:w-1-1.w.n.svc:50051"],
  ]);
});

describe("compile --manifest", () => {
  const compile = (...words: string[]) => runCli(["compile", "--model", "smollm2-135m", "--text-only", ...words]);

  test("writes what the library makes, of the model's name and repository", async () => {
    const path = join(await temporaryFolder(), "workers.yaml");
    const words = [
      "--image",
      hub.image,
      "--pull-image",
      hub.pullImage,
      "--replicas",
      "2",
      "--namespace",
      "models",
      "--root",
      "/weights",
    ];
    const { code, stderr, stdout } = await compile("--target", "tpu:v5e:2x2", "--manifest", path, ...words);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(`${path} written`) });
    expect(stdout).toMatch(/^target +tpu:v5e:2x2$/m);
    const weights = { kind: "hub", repository: "HuggingFaceTB/SmolLM2-135M-Instruct" } as const;
    const options = { ...hub, name: "smollm2-135m", namespace: "models", replicas: 2, root: "/weights", weights };
    expect(await readFile(path, "utf8")).toBe(printManifest(parseTopology("tpu:v5e:2x2"), options));
  });

  test("ends with 2 and writes nothing where a slice is not offered", async () => {
    const path = join(await temporaryFolder(), "workers.yaml");
    const { code, stderr } = await compile("--target", "tpu:v4:2x2x3", "--manifest", path);
    const sentence = "the nearest is tpu:v4:2x2x4: 16 chips on 4 hosts of 4";
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) });
    await expect(readFile(path)).rejects.toThrow("ENOENT");
  });
});

test("a worker starts by the manifest's words with the guide's secrets, and serves", async () => {
  const folder = await temporaryFolder();
  const [recipe] = blocks("sh").filter((block) => block.includes("openssl req"));
  await promisify(execFile)("bash", ["-euc", recipe as string], { cwd: folder });
  const certificate = new X509Certificate(await readFile(join(folder, "tls.crt")));
  const { objects, addresses } = makeManifest(parseTopology("tpu:v4:2x2x1"), hub);
  for (const address of [...addresses.flat(), "grpcs://dns:gpt-oss-20b.default.svc:50051"]) {
    const host = /^grpcs:\/\/dns:(.*):\d+$/.exec(address)?.[1] ?? "";
    expect([address, certificate.checkHost(host)]).not.toEqual([address, undefined]);
  }
  const [, workload] = objects as unknown as readonly [Any, Any];
  const [container] = workload.spec.template.spec.containers;
  await mkdir(join(folder, "models"));
  // The container's folders, on this machine; the port is any that is free.
  const here = (word: string) =>
    word
      .replace(/^0\.0\.0\.0:50051$/, "0.0.0.0:0")
      .replace(/^\/models$/, join(folder, "models"))
      .replace(/^\/cache$/, join(folder, "cache"))
      .replace(/^\/etc\/tsxla\/(token|tls)\//, `${folder}/`);
  expect(container.command).toBeUndefined();
  const worker = startCli(["worker", ...container.args.map(here)]);
  try {
    await worker.until(/"event": "ready", "address": "[^"]*"/);
    const { port } = /"address": "0\.0\.0\.0:(?<port>\d+)"/.exec(worker.said())?.groups ?? {};
    const served = await runCli(["probe", `grpcs://127.0.0.1:${port}`]);
    expect(served).toEqual({ code: 0, stdout: "SERVING\n", stderr: "" });
    // As through `kubectl port-forward`: the certificate is verified, and the token wanted.
    const secrets = { tokenFile: join(folder, "token"), tlsCa: join(folder, "tls.crt") };
    await using connected = await Worker.connect(`grpcs://localhost:${port}`, secrets);
    expect((await connected.info()).devices).toHaveLength(1);
    const clear = await runCli(["probe", `127.0.0.1:${port}`]);
    expect(clear).toMatchObject({ code: 1, stderr: expect.stringContaining("can't be probed: UNAVAILABLE") });
  } finally {
    worker.process.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0 });
  }
  const { code, stderr } = await runCli(["probe", "127.0.0.1:1"]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining("127.0.0.1:1 can't be probed"),
  });
});

describe("docs/kubernetes.md", () => {
  test("has TypeScript that type-checks", async () => {
    const folder = join(root, ".cache/kubernetes");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "guide.ts"), blocks("ts").join("\n"));
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include: ["guide.ts"] }),
    );
    await promisify(execFile)("node", [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { cwd: root });
  });

  test("names every option of a manifest, and commands that there are", async () => {
    const { stdout: help } = await runCli(["compile", "--help"]);
    const options = [
      ...(help.split(/Options of --manifest:|Global Options:/)[1] ?? "").matchAll(/^ {2}(--[a-z-]+) /gm),
    ].map(([, name]) => name);
    expect(options).toHaveLength(9);
    expect(options.filter((option) => !guide.includes(`| \`${option}\` |`))).toEqual([]);
    const [first = ""] = blocks("sh");
    expect(first.trim()).toMatch(/^npx tsxla compile .* --manifest workers\.yaml --text-only$/);
    const path = join(await temporaryFolder(), "workers.yaml");
    const words = first.trim().replace("workers.yaml", path).split(" ").slice(2);
    expect(await runCli(words)).toMatchObject({ code: 0 });
    const { addresses } = makeManifest(parseTopology("tpu:v4:2x2x1"), hub);
    expect(guide).toContain(`const address = "${addresses[0]?.[0]}";`);
  });
});

describe("the Job of docs/kubernetes.md", () => {
  const [job] = blocks("yaml").map((text) => parse(text) as Any);
  const [container] = job.spec.template.spec.containers;

  test("has a pod that Kubernetes' own schema takes", async () => {
    const { kind, apiVersion, metadata, spec } = job;
    expect({ kind, apiVersion, rest: Object.keys(spec) }).toEqual({
      kind: "Job",
      apiVersion: "batch/v1",
      rest: ["backoffLimit", "template"],
    });
    // The fixture has no schema of jobs; a pod's template is the same in all that have one.
    const labels = { app: "answers" };
    const template = { ...spec.template, metadata: { labels } };
    const set = { serviceName: "answers", selector: { matchLabels: labels }, template };
    const problems = await validator();
    expect(problems({ apiVersion: "apps/v1", kind: "StatefulSet", metadata, spec: set })).toEqual([]);
    expect(["Never", "OnFailure"]).toContain(template.spec.restartPolicy);
  });

  test("says words that the command takes, and finds what a manifest's worker has", async () => {
    const [name, ...words] = container.args as string[];
    const { stdout: help } = await runCli([name ?? "", "--help"]);
    for (const word of words) expect(help).toContain(`\n  ${word.split("=")[0]} `);
    const { addresses, objects } = makeManifest(parseTopology("tpu:v4:2x2x1"), hub);
    expect(words).toContain(`--worker=${addresses[0]?.[0]}`);
    const [set] = JSON.parse(JSON.stringify(objects)).filter(({ kind }: Any) => kind === "StatefulSet");
    const secrets = (volumes: Any[]) => volumes.flatMap(({ secret }) => (secret ? [secret.secretName] : [])).toSorted();
    expect(secrets(job.spec.template.spec.volumes)).toEqual(secrets(set.spec.template.spec.volumes));
    const mounted: string[] = container.volumeMounts.map(({ mountPath }: Any) => mountPath);
    for (const [, path = ""] of words.join(" ").matchAll(/=(\/etc\S+)\/[^/\s]+/g)) expect(mounted).toContain(path);
  });
});

/** Objects are walked as they are read back: as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: the types are what is under test
type Any = any;

function blocks(language: string): string[] {
  const fenced = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm");
  return [...guide.matchAll(fenced)].map(([, code = ""]) => code);
}

/** What a kind's schema says is wrong with an object; fixtures/schemas.json is made by make_schemas.py. */
