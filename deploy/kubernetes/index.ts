/**
 * Manifests for Kubernetes, made of a target.
 */
export { type Hosts, hostsOf } from "./hosts.ts";
export { type JobManifest, type JobManifestOptions, makeJobManifest, printJobManifest } from "./job.ts";
export type { LeaderWorkerSet } from "./leader-worker-set.ts";
export { type Manifest, type ManifestObject, makeManifest, printManifest } from "./manifest.ts";
export { checkOptions, type ManifestOptions, parseWeightsSource, type WeightsSource } from "./options.ts";
export { offeredShapes, type Slice, sliceOf } from "./slices.ts";
export { workerPort } from "./worker-pod.ts";
