/**
 * The pod of one host: a worker that owns the host's chips, beside the files that it reads.
 */
import type { Container, PodTemplateSpec, Probe, Volume, VolumeMount } from "kubernetes-types/core/v1.d.ts";
import type { Hosts } from "./hosts.ts";
import { cacheFolder, type ManifestOptions, tlsFolder, tokenFolder, type WeightsSource } from "./options.ts";

// Public API

/** Where workers listen. */
export const workerPort = 50051;

/** The label that all pods of a name carry. */
export function podLabels(name: string): Record<string, string> {
  return { "app.kubernetes.io/name": "tsxla-worker", "app.kubernetes.io/instance": name };
}

/**
 * The template of every pod of a target.
 *
 * Hosts of a group are told apart by what a LeaderWorkerSet puts into their environment, so that all have one template.
 */
export function workerPod(hosts: Hosts, options: ManifestOptions): PodTemplateSpec {
  const { name, weights, serviceAccount, cacheClaim } = options;
  const annotations = weights.kind === "gcs" ? { annotations: { "gke-gcsfuse/volumes": "true" } } : {};
  const init = weights.kind === "hub" ? { initContainers: [pullContainer(weights, options)] } : {};
  return {
    metadata: { labels: podLabels(name), ...annotations },
    spec: {
      ...(hosts.nodeSelector === undefined ? {} : { nodeSelector: { ...hosts.nodeSelector } }),
      ...(hosts.affinity === undefined ? {} : { affinity: hosts.affinity }),
      tolerations: [...hosts.tolerations],
      // A worker talks to clients and to its peers, never to the cluster; an account that is named is for a bucket.
      ...(serviceAccount === undefined
        ? { automountServiceAccountToken: false }
        : { serviceAccountName: serviceAccount }),
      // A claim is root's, and an image need not run as root.
      ...(cacheClaim === undefined
        ? {}
        : { securityContext: { fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" } }),
      // The worker takes two seconds for calls in flight; a compilation that is being written to the cache takes longer.
      terminationGracePeriodSeconds: 30,
      ...init,
      containers: [workerContainer(hosts, options)],
      volumes: volumes(hosts, options),
    },
  };
}

// Implementation

/** Of a group's leader. JAX's own choice on Kubernetes (jax/_src/clusters/k8s_cluster.py), clear of libtpu's ports. */
const coordinatorPort = 55527;

function workerContainer(hosts: Hosts, options: ManifestOptions): Container {
  const { name, namespace, image, root } = options;
  const chips = String(hosts.chipsPerHost);
  const several = hosts.count > 1;
  return {
    name: "worker",
    image,
    // No command: the image's entry point is the worker.
    args: [
      "--listen",
      `0.0.0.0:${workerPort}`,
      "--root",
      root,
      "--cache-dir",
      cacheFolder,
      "--token-file",
      `${tokenFolder}/token`,
      "--tls-cert",
      `${tlsFolder}/tls.crt`,
      "--tls-key",
      `${tlsFolder}/tls.key`,
      ...(several
        ? [
            "--coordinator",
            `$(LWS_LEADER_ADDRESS):${coordinatorPort}`,
            "--num-processes",
            "$(LWS_GROUP_SIZE)",
            "--process-id",
            "$(LWS_WORKER_INDEX)",
          ]
        : []),
    ],
    env: [
      // What the probe believes, and a name that is in it.
      { name: "TSXLA_HEALTH_CERT", value: `${tlsFolder}/tls.crt` },
      { name: "TSXLA_HEALTH_NAME", value: `${name}.${namespace}.svc` },
    ],
    ports: [
      { name: "grpc", containerPort: workerPort },
      ...(several ? [{ name: "coordinator", containerPort: coordinatorPort }] : []),
    ],
    resources: {
      // A host's chips belong to one pod, and its processor and memory with them: the requests say what is least, so
      // that the pod is not the first to go where memory is short, and nothing limits it.
      requests: {
        cpu: String(4 * hosts.chipsPerHost),
        memory: `${16 * hosts.chipsPerHost}Gi`,
        [hosts.resource]: chips,
      },
      limits: { [hosts.resource]: chips },
    },
    securityContext: { allowPrivilegeEscalation: false },
    // Ten minutes for a group to find together; then not serving takes it out of DNS at once.
    startupProbe: { ...probe, periodSeconds: 10, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 10, failureThreshold: 2 },
    // A worker that dies is started again anyway. This is for one that hangs, and waiting for peers is no hanging.
    livenessProbe: { ...probe, periodSeconds: 30, failureThreshold: 20 },
    volumeMounts: [
      mount("weights", root, true),
      { name: "compile-cache", mountPath: cacheFolder },
      mount("token", tokenFolder, true),
      mount("tls", tlsFolder, true),
      ...(usesSharedMemory(hosts) ? [{ name: "shared-memory", mountPath: "/dev/shm" }] : []),
    ],
  };
}

/** grpc.health.v1 over TLS. The kubelet's own gRPC probe speaks no TLS, so the image asks itself (deploy/worker). */
const probe: Probe = {
  exec: { command: ["python", "/app/health.py", "/run/tsxla/ready.json"] },
  timeoutSeconds: 10,
};

function pullContainer(weights: WeightsSource & { readonly kind: "hub" }, options: ManifestOptions): Container {
  const { name, pullImage, root } = options;
  const { repository, revision } = weights;
  return {
    name: "pull",
    image: pullImage,
    command: ["tsxla"],
    args: [
      "pull",
      repository,
      ...(revision === undefined ? [] : ["--revision", revision]),
      "--out",
      `${root}/${repository.split("/").at(-1)}`,
    ],
    env: [
      // Public repositories need none.
      { name: "HF_TOKEN", valueFrom: { secretKeyRef: { name: `${name}-hub`, key: "token", optional: true } } },
    ],
    securityContext: { allowPrivilegeEscalation: false },
    volumeMounts: [mount("weights", root, false)],
  };
}

function volumes(hosts: Hosts, { name, weights, cacheClaim }: ManifestOptions): Volume[] {
  return [
    weightsVolume(weights),
    cacheClaim === undefined
      ? { name: "compile-cache", emptyDir: {} }
      : { name: "compile-cache", persistentVolumeClaim: { claimName: cacheClaim } },
    { name: "token", secret: { secretName: `${name}-token` } },
    { name: "tls", secret: { secretName: `${name}-tls` } },
    ...(usesSharedMemory(hosts) ? [{ name: "shared-memory", emptyDir: { medium: "Memory", sizeLimit: "16Gi" } }] : []),
  ];
}

function weightsVolume(weights: WeightsSource): Volume {
  switch (weights.kind) {
    case "hub":
      return { name: "weights", emptyDir: {} };
    case "claim":
      return { name: "weights", persistentVolumeClaim: { claimName: weights.name, readOnly: true } };
    case "gcs": {
      const folder = weights.folder === undefined ? "" : `,only-dir=${weights.folder}`;
      const volumeAttributes = { bucketName: weights.bucket, mountOptions: `implicit-dirs${folder}` };
      return { name: "weights", csi: { driver: "gcsfuse.csi.storage.gke.io", readOnly: true, volumeAttributes } };
    }
  }
}

/** NCCL passes data between GPUs of a host through /dev/shm, of which a container has 64 MiB otherwise. */
function usesSharedMemory(hosts: Hosts): boolean {
  return hosts.resource === "nvidia.com/gpu" && hosts.chipsPerHost > 1;
}

function mount(name: string, mountPath: string, readOnly: boolean): VolumeMount {
  return { name, mountPath, ...(readOnly ? { readOnly } : {}) };
}
