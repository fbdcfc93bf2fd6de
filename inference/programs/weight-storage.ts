/** How each weight lies in memory: as its file has it, or in the form that was asked for. */
import type { Target, WeightForm } from "../../compiler/index.ts";
import { InputError, isFloat, type Param, packingOf, type Storage, type StorageOf } from "../../dsl/index.ts";
import { type Architecture, type Feed, isMxfp4, isPacked } from "../../models/index.ts";

// Public API

/**
 * How the weights of a checkpoint are held.
 *
 * @throws InputError that names tensors which are to be held as MXFP4 and are something else in their file: packing them
 * would change them
 */
export function storageOfFeeds(feeds: readonly Feed[], architecture: Architecture, target: Target): StorageOf {
  const storage = new Map(
    feeds.map((feed) => [feed.param.key, storageFor(feed.param, published(feed, target), architecture, target)]),
  );
  requireMxfp4(feeds.filter(({ param }) => storage.get(param.key) === "mxfp4"));
  return ({ key }) => storage.get(key) as Storage;
}

/** How they are held where there is no file: as the released files have them, unless told otherwise. */
export function storageWithoutFiles(architecture: Architecture, target: Target): StorageOf {
  const { experts, dense } = architecture.released ?? { experts: target.compute, dense: target.compute };
  return (param) => {
    const released = architecture.isExpertMatrix?.(param) ? experts : dense;
    return storageFor(param, param.untrained === undefined ? released : undefined, architecture, target);
  };
}

// Implementation

/** @param published  undefined for a weight that is drawn: it has no published form, and some forms cannot be made here */
function storageFor(param: Param, published: Storage | undefined, architecture: Architecture, target: Target): Storage {
  const unasked = architecture.released === undefined ? target.compute : "published";
  const { experts, dense } = target.weights ?? { experts: unasked, dense: unasked };
  const form = architecture.isExpertMatrix?.(param) ? experts : dense;
  if (published === undefined && !canBeMade(form)) return "bf16";
  if (form === "published") return published as Storage;
  // Only what is multiplied is worth packing: norms and biases are small, and are added.
  return packingOf(form) === undefined || isMatrix(param, architecture) ? form : target.compute;
}

/** As the file has it: MXFP4 and floats stay, other blocks are unpacked. */
function published(feed: Feed, { compute }: Target): Storage | undefined {
  if (feed.source.kind === "drawn") return undefined;
  if (isMxfp4(feed)) return "mxfp4";
  const own = feed.tensors[0]?.type.dtype;
  const isPlain = own !== undefined && isFloat(own) && !feed.tensors.some(({ format }) => isPacked(format));
  return isPlain ? own : compute;
}

/** Whether a weight of any numbers can be held so. */
function canBeMade(form: WeightForm): boolean {
  if (form === "published") return false;
  const packing = packingOf(form);
  return packing === undefined || packing.pack !== undefined;
}

function isMatrix(param: Param, architecture: Architecture): boolean {
  return architecture.isExpertMatrix?.(param) === true || (param.key.endsWith(".weight") && param.axes.length > 1);
}

function requireMxfp4(feeds: readonly Feed[]): void {
  const others = feeds.filter((feed) => !isMxfp4(feed));
  if (others.length === 0) return;
  const named = others.slice(0, 3).map(({ tensors }) => `  ${tensors.map(({ name, format }) => `${name}  ${format}`)}`);
  const more = others.length > 3 ? [`  and ${others.length - 3} more`] : [];
  throw new InputError(
    "WEIGHTS",
    ["weights are held as mxfp4 only where the checkpoint has them so, and it has", ...named, ...more].join("\n"),
    { keys: others.map(({ param }) => param.key) },
  );
}
