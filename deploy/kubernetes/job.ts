/**
 * A job on Kubernetes: workers on a target's chips, and one orchestrator that answers a file of requests over them.
 *
 * The output file is the job's journal (inference/jobs), so an orchestrator that dies is started anew with the same words.
 * Pure, like the manifest of workers that it contains.
 */
import type { Job } from "kubernetes-types/batch/v1.d.ts";
import { stringify } from "yaml";
import { formatMesh, formatTopology, type Mesh, type Topology } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";
import { type Manifest, type ManifestObject, makeManifest } from "./manifest.ts";
import { type ManifestOptions, tlsFolder, tokenFolder } from "./options.ts";

// Public API

/** What a job is told besides its workers. `replicas` is how many workers there are. */
export interface JobManifestOptions extends ManifestOptions {
  /** The model's path below the workers' root. */
  readonly model: string;
  /** How each worker's devices are arranged. */
  readonly mesh: Mesh;
  /** A PersistentVolumeClaim with the input, on which the output is written. */
  readonly dataClaim: string;
  /** Files of requests and of answers, below the claim. */
  readonly input: string;
  readonly output: string;
  /** More words of `tsxla jobs run`, such as `--batch 16`. */
  readonly words: readonly string[];
}

/** A job's objects: those of its workers, and the orchestrator's. */
export interface JobManifest extends Omit<Manifest, "objects"> {
  readonly objects: readonly (ManifestObject | Job)[];
}

/**
 * The objects of a job.
 *
 * @throws InputError naming an option that Kubernetes or the job would refuse
 */
export function makeJobManifest(topology: Topology, options: JobManifestOptions): JobManifest {
  checkJob(options);
  const workers = makeManifest(topology, options);
  return { ...workers, objects: [...workers.objects, job(topology, workers.addresses, options)] };
}

/** The objects as YAML, under a comment that says what they are and how to follow and end them. */
export function printJobManifest(topology: Topology, options: JobManifestOptions): string {
  const { objects, hosts } = makeJobManifest(topology, options);
  const { name, namespace, replicas, dataClaim, input, output } = options;
  const workers = replicas === 1 ? "one worker" : `${replicas} workers`;
  const heading = [
    `${input} answered into ${output} on the claim ${dataClaim}, by ${workers} of tsxla on ${topology.platform}:${formatTopology(topology)} (${hosts.machine}).`,
    `Needs the secrets ${name}-token and ${name}-tls in the namespace ${namespace}${hosts.count > 1 ? ", and LeaderWorkerSet in the cluster" : ""}; see docs/kubernetes.md.`,
    `Followed by kubectl logs --namespace ${namespace} --follow job/${name}-job; workers stay until these objects are deleted.`,
  ];
  const print = (object: ManifestObject | Job) =>
    `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  return [...heading.map((line) => `# ${line}\n`), ...objects.map(print)].join("");
}

// Implementation

const dataFolder = "/data";

/** How often an orchestrator is started anew; each goes on where the one before it was. */
const restarts = 50;

function job({ platform }: Topology, addresses: Manifest["addresses"], options: JobManifestOptions): Job {
  const { name, namespace, pullImage, model, mesh, dataClaim, input, output, words } = options;
  const labels = { "app.kubernetes.io/name": "tsxla-job", "app.kubernetes.io/instance": name };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `${name}-job`, namespace, labels },
    spec: {
      backoffLimit: restarts,
      // Two orchestrators on one output would refuse each other: the next begins when the last has ended.
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [
          // Wrong words or a wrong input stay wrong.
          { action: "FailJob", onExitCodes: { containerName: "orchestrator", operator: "In", values: [2] } },
          // A drained node is nobody's failure.
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
        ],
      },
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          securityContext: { fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" },
          // What is running is given up, and what is answered is on the disk.
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: "orchestrator",
              image: pullImage,
              command: ["tsxla"],
              args: [
                ...["jobs", "run", "--model", model, "--target", platform, "--mesh", formatMesh(mesh)],
                ...["--input", `${dataFolder}/${input}`, "--output", `${dataFolder}/${output}`],
                // By name, since that is what the workers' certificate vouches for; hosts of one worker with commas.
                ...addresses.flatMap((hosts) => ["--worker", hosts.join(",")]),
                ...["--token-file", `${tokenFolder}/token`, "--tls-ca", `${tlsFolder}/tls.crt`],
                ...words,
              ],
              resources: { requests: { cpu: "1", memory: "2Gi" } },
              securityContext: { allowPrivilegeEscalation: false },
              volumeMounts: [
                { name: "data", mountPath: dataFolder },
                { name: "token", mountPath: tokenFolder, readOnly: true },
                { name: "tls", mountPath: tlsFolder, readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: "data", persistentVolumeClaim: { claimName: dataClaim } },
            { name: "token", secret: { secretName: `${name}-token` } },
            // The certificate alone: the key is the workers'.
            { name: "tls", secret: { secretName: `${name}-tls`, items: [{ key: "tls.crt", path: "tls.crt" }] } },
          ],
        },
      },
    },
  };
}

function checkJob({ model, dataClaim, input, output, replicas }: JobManifestOptions): void {
  if (!/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(dataClaim))
    throw refuse("data-claim", dataClaim, "a PersistentVolumeClaim's name");
  for (const [option, path] of Object.entries({ input, output })) {
    const isBelow = /^[\w.-]+(\/[\w.-]+)*$/.test(path) && !path.split("/").some((part) => /^\.\.?$/.test(part));
    if (!isBelow) throw refuse(option, path, "a file below the claim, such as requests/today.jsonl");
  }
  if (input === output) throw refuse("output", output, `another file than --input`);
  if (model === "" || model.startsWith("-")) throw refuse("model", model, "a path below the workers' --root");
  if (replicas > mostWorkers) throw refuse("workers", String(replicas), `at most ${mostWorkers}`);
}

/** An orchestrator names each of them on its command line. */
const mostWorkers = 1000;

function refuse(option: string, found: string, wanted: string): InputError {
  return new InputError("OPTION_VALUE", `--${option} is '${found}'; wanted ${wanted}`, { option, found });
}
