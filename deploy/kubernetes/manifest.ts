/**
 * Kubernetes objects that run workers on a target's chips.
 *
 * Pure: the same target and options give the same bytes. The secrets are not among the objects: what is in them has no
 * place in a file that is kept (docs/kubernetes.md makes them).
 */
import type { StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import type { PodTemplateSpec, Service } from "kubernetes-types/core/v1.d.ts";
import { stringify } from "yaml";
import { formatTopology, type Topology } from "../../compiler/index.ts";
import { type Hosts, hostsOf } from "./hosts.ts";
import { type LeaderWorkerSet, leaderWorkerSet, setNameLabel } from "./leader-worker-set.ts";
import { checkOptions, type ManifestOptions } from "./options.ts";
import { podLabels, workerPod, workerPort } from "./worker-pod.ts";

// Public API

/** What a manifest holds. */
export type ManifestObject = Service | StatefulSet | LeaderWorkerSet;

/** A manifest, and what there is to say about it. */
export interface Manifest {
  readonly objects: readonly ManifestObject[];
  readonly hosts: Hosts;
  /** The workers' addresses inside the cluster, a list for each copy, in the order of its process ids. */
  readonly addresses: readonly (readonly string[])[];
}

/**
 * The objects for a target: a headless Service, and a LeaderWorkerSet where a copy has several hosts, else a StatefulSet.
 *
 * @throws InputError naming an option that Kubernetes would refuse, or a slice that is not offered and the nearest that is
 */
export function makeManifest(topology: Topology, options: ManifestOptions): Manifest {
  checkOptions(options);
  const hosts = hostsOf(topology);
  const pod = workerPod(hosts, options);
  const several = hosts.count > 1;
  const workload = several ? leaderWorkerSet(pod, hosts, options) : statefulSet(pod, options);
  return { objects: [service(several, options), workload], hosts, addresses: addressesOf(hosts, options) };
}

/** The manifest as YAML, under a comment that says what it is and how its workers are reached. */
export function printManifest(topology: Topology, options: ManifestOptions): string {
  const { objects, hosts, addresses } = makeManifest(topology, options);
  // Objects that share a part are written out: an anchor is YAML that some readers of manifests don't know.
  const print = (object: ManifestObject) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
  return [...heading(topology, options, hosts, addresses), ...objects.map((object) => `---\n${print(object)}`)].join(
    "",
  );
}

// Implementation

function service(several: boolean, { name, namespace }: ManifestOptions): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: podLabels(name) },
    spec: {
      // No address of its own: the name resolves to the workers, which hold what was sent to each of them.
      clusterIP: "None",
      // Hosts of a group must find each other to become ready.
      ...(several ? { publishNotReadyAddresses: true } : {}),
      selector: several ? { [setNameLabel]: name } : podLabels(name),
      ports: [{ name: "grpc", port: workerPort, targetPort: "grpc" }],
    },
  };
}

/** Not a Deployment: a worker holds weights and programs for its client, who must be able to name it. */
function statefulSet(pod: PodTemplateSpec, { name, namespace, replicas }: ManifestOptions): StatefulSet {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, namespace, labels: podLabels(name) },
    spec: {
      replicas,
      serviceName: name,
      // Workers of different copies know nothing of each other.
      podManagementPolicy: "Parallel",
      selector: { matchLabels: podLabels(name) },
      template: pod,
    },
  };
}

/** Pods are NAME-COPY, and in a LeaderWorkerSet those beside the leader NAME-COPY-HOST. */
function addressesOf({ count }: Hosts, { name, namespace, replicas }: ManifestOptions): readonly (readonly string[])[] {
  return Array.from({ length: replicas }, (_, copy) =>
    Array.from({ length: count }, (_, host) => {
      const pod = host === 0 ? `${name}-${copy}` : `${name}-${copy}-${host}`;
      return `grpcs://dns:${pod}.${name}.${namespace}.svc:${workerPort}`;
    }),
  );
}

function heading(
  topology: Topology,
  { name, namespace, replicas }: ManifestOptions,
  hosts: Hosts,
  addresses: readonly (readonly string[])[],
): readonly string[] {
  const copies = replicas === 1 ? "one copy" : `${replicas} copies`;
  const chips = hosts.chipsPerHost === 1 ? "one chip" : `${hosts.chipsPerHost} chips`;
  const each = hosts.count === 1 ? `one host with ${chips}` : `${hosts.count} hosts with ${chips} each`;
  const lines = [
    `Workers of tsxla on ${topology.platform}:${formatTopology(topology)}: ${copies} of ${each} (${hosts.machine}).`,
    `Needs the secrets ${name}-token and ${name}-tls in the namespace ${namespace}${hosts.count > 1 ? ", and LeaderWorkerSet in the cluster" : ""}; see docs/kubernetes.md.`,
    `Reached at ${addresses[0]?.join(" ")}${replicas === 1 ? "" : ", and so on for each copy"}`,
  ];
  return lines.map((line) => `# ${line}\n`);
}
