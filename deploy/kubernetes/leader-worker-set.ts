/**
 * LeaderWorkerSet, as far as a manifest fills it in: groups of pods that are started, replaced and placed together.
 *
 * Source: kubernetes-sigs/lws, api/leaderworkerset/v1. No package on npm has its types.
 */
import type { PodTemplateSpec } from "kubernetes-types/core/v1.d.ts";
import type { ObjectMeta } from "kubernetes-types/meta/v1.d.ts";
import type { Hosts } from "./hosts.ts";
import type { ManifestOptions } from "./options.ts";
import { podLabels } from "./worker-pod.ts";

// Public API

export interface LeaderWorkerSet {
  readonly apiVersion: "leaderworkerset.x-k8s.io/v1";
  readonly kind: "LeaderWorkerSet";
  readonly metadata: ObjectMeta;
  readonly spec: {
    /** Groups. */
    readonly replicas?: number;
    readonly startupPolicy?: "LeaderCreated" | "LeaderReady";
    readonly networkConfig?: { readonly subdomainPolicy: "Shared" | "UniquePerReplica" };
    readonly rolloutStrategy?: {
      readonly type: "RollingUpdate";
      readonly rollingUpdateConfiguration?: {
        readonly maxUnavailable?: number | string;
        readonly maxSurge?: number | string;
      };
    };
    readonly leaderWorkerTemplate: {
      /** Pods of a group, its leader included. */
      readonly size?: number;
      readonly restartPolicy?: "RecreateGroupOnPodRestart" | "None";
      /** The workers', and the leader's too where it has none of its own. */
      readonly workerTemplate: PodTemplateSpec;
    };
  };
}

/** The label by which a LeaderWorkerSet's pods are found. */
export const setNameLabel = "leaderworkerset.sigs.k8s.io/name";

/** Groups of `hosts.count` pods, each group on a slice of its own. */
export function leaderWorkerSet(pod: PodTemplateSpec, hosts: Hosts, options: ManifestOptions): LeaderWorkerSet {
  const { name, namespace, replicas } = options;
  return {
    apiVersion: "leaderworkerset.x-k8s.io/v1",
    kind: "LeaderWorkerSet",
    metadata: {
      name,
      namespace,
      labels: podLabels(name),
      // A slice of several hosts is a node pool: without this, two groups could each get half of two slices.
      annotations: { "leaderworkerset.sigs.k8s.io/exclusive-topology": "cloud.google.com/gke-nodepool" },
    },
    spec: {
      replicas,
      // A leader serves when all of its group are there: to wait for it before starting them would never end.
      startupPolicy: "LeaderCreated",
      networkConfig: { subdomainPolicy: "Shared" },
      // The chips of a group are taken, so that its successor has no place before it is gone.
      rolloutStrategy: { type: "RollingUpdate", rollingUpdateConfiguration: { maxUnavailable: 1, maxSurge: 0 } },
      leaderWorkerTemplate: {
        size: hosts.count,
        // One program runs on all hosts of a group; what is left of it after one is gone is of no use.
        restartPolicy: "RecreateGroupOnPodRestart",
        workerTemplate: pod,
      },
    },
  };
}
