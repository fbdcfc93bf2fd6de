/**
 * What a manifest is told beside its target, and what of it a cluster would refuse.
 */
import { InputError } from "../../dsl/index.ts";

// Public API

/** Where a worker's checkpoints come from. */
export type WeightsSource =
  /** A repository of the Hugging Face hub, fetched to each host before its worker starts. */
  | { readonly kind: "hub"; readonly repository: string; readonly revision?: string | undefined }
  /** A PersistentVolumeClaim that holds the files and that all hosts can read. */
  | { readonly kind: "claim"; readonly name: string }
  /** A bucket of Google Cloud Storage, or a folder of it, mounted by GKE's Cloud Storage FUSE driver. */
  | { readonly kind: "gcs"; readonly bucket: string; readonly folder?: string | undefined };

/** All that a manifest depends on beside its target. */
export interface ManifestOptions {
  /** Of every object; the workers' DNS name. */
  readonly name: string;
  readonly namespace: string;
  /** The worker's image, as the cluster's nodes pull it; its entry point takes the worker's options. */
  readonly image: string;
  /** An image with `tsxla` on its PATH, which fetches weights from the hub; only that asks for it. */
  readonly pullImage: string;
  /** How many copies of the target, each with all of its hosts. */
  readonly replicas: number;
  readonly weights: WeightsSource;
  /** The folder of the container to which a worker's paths are confined; checkpoints are mounted there. */
  readonly root: string;
  /** A claim that keeps compiled programs; without one they live as long as their pod. */
  readonly cacheClaim?: string | undefined;
  /** The Kubernetes service account, for what may read a bucket. */
  readonly serviceAccount?: string | undefined;
}

/** Refuses what Kubernetes would, while it can still be said in the command's words. @throws InputError */
export function checkOptions(options: ManifestOptions): void {
  const { name, namespace, image, pullImage, replicas, weights, root, cacheClaim, serviceAccount } = options;
  // A service's name is the strictest of all; what a LeaderWorkerSet appends for its pods has to fit as well.
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > 45)
    throw refuse("name", name, "a lower-case letter, then letters, digits and '-', at most 45 in all");
  check("namespace", namespace, label, "lower-case letters, digits and '-'");
  if (!/^[\w][\w.:/@-]*$/.test(image))
    throw refuse("image", image, "an image, such as registry.example/tsxla-worker:1");
  if (!/^[\w][\w.:/@-]*$/.test(pullImage))
    throw refuse("pull-image", pullImage, "an image, such as registry.example/tsxla:1");
  if (!Number.isSafeInteger(replicas) || replicas < 1)
    throw refuse("replicas", String(replicas), "a whole number from 1");
  if (!/^(\/[\w.-]+)+$/.test(root) || /\/\.\.?(\/|$)/.test(root) || reserved.some((each) => overlap(each, root)))
    throw refuse("root", root, `an absolute path of the container, apart from ${reserved.join(", ")}`);
  if (cacheClaim !== undefined) check("cache-claim", cacheClaim, subdomain, "a PersistentVolumeClaim's name");
  if (serviceAccount !== undefined) check("service-account", serviceAccount, subdomain, "a service account's name");
  if (weights.kind === "claim")
    check("weights-from", `claim:${weights.name}`, /^claim:[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, source);
  if (weights.kind === "gcs" && serviceAccount === undefined) {
    throw new InputError(
      "OPTION_MISSING",
      `--weights-from gs://${weights.bucket} needs --service-account: the one that may read the bucket, through Workload Identity`,
      { option: "service-account" },
    );
  }
}

/**
 * Reads `hub:OWNER/NAME`, `hub:OWNER/NAME@REVISION`, `claim:NAME`, `gs://BUCKET` or `gs://BUCKET/FOLDER`.
 *
 * @throws InputError with these forms
 */
export function parseWeightsSource(text: string): WeightsSource {
  const hub = /^hub:([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w][\w./-]*))?$/.exec(text);
  if (hub) {
    const [, repository = "", revision] = hub;
    return { kind: "hub", repository, revision };
  }
  const claim = /^claim:(.+)$/.exec(text);
  if (claim) return { kind: "claim", name: claim[1] ?? "" };
  const gcs = /^gs:\/\/([a-z0-9][a-z0-9._-]+)(?:\/((?:[\w.=-]+\/)*[\w.=-]+))?\/?$/.exec(text);
  if (gcs) {
    const [, bucket = "", folder] = gcs;
    return { kind: "gcs", bucket, folder };
  }
  throw refuse("weights-from", text, source);
}

/** Where a worker's container has its secrets and its compiled programs. */
export const tokenFolder = "/etc/tsxla/token";
export const tlsFolder = "/etc/tsxla/tls";
export const cacheFolder = "/cache";

// Implementation

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
const source = "hub:OWNER/NAME[@REVISION], claim:NAME or gs://BUCKET[/FOLDER]";
const reserved = ["/etc/tsxla", "/run", cacheFolder, "/dev", "/proc", "/sys"];

function check(option: string, value: string, form: RegExp, wanted: string): void {
  if (!form.test(value)) throw refuse(option, value, wanted);
}

function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}

function refuse(option: string, found: string, wanted: string): InputError {
  return new InputError("OPTION_VALUE", `--${option} is '${found}'; wanted ${wanted}`, { option, found });
}
