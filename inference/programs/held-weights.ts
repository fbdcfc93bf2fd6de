/** The weights of a loaded model, as the devices hold them: what another program is given to compute the same. */
import { type DType, packingOf } from "../../dsl/index.ts";
import type { HostTensor } from "../../runtime-bridge/index.ts";
import type { ModelPrograms } from "./model-programs.ts";
import type { WeightPlan } from "./weights.ts";

// Public API

/** A weight on the devices; of a packed one, each of its parts. */
export interface HeldWeight {
  /** The checkpoint's key (Hugging Face's); of a packed weight `KEY.PART`. */
  readonly key: string;
  /** The path in the model, such as `layers.3.attn.q`. */
  readonly path: string;
  readonly dtype: DType;
  /** The axes' names, outermost first, as the weight is declared. */
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  read(signal?: AbortSignal): Promise<HostTensor>;
}

/** Every weight, in the order of the declaration. */
export function heldWeights(
  programs: Pick<ModelPrograms, "weight" | "worker">,
  { feeds, storageOf }: Pick<WeightPlan, "feeds" | "storageOf">,
): readonly HeldWeight[] {
  return feeds.flatMap(({ path, param }) => {
    const storage = storageOf(param);
    const whole = [{ name: undefined, dtype: storage as DType, axes: param.axes }];
    const parts = packingOf(storage)?.parts(param.axes) ?? whole;
    return parts.map(({ name, dtype, axes }) => {
      const below = name === undefined ? "" : `.${name}`;
      return {
        key: `${param.key}${below}`,
        path: `${path}${below}`,
        dtype,
        axes: axes.map((each) => each.name),
        shape: axes.map((each) => each.size),
        read: (signal?: AbortSignal) => programs.worker.download(programs.weight(`${path}${below}`), { signal }),
      };
    });
  });
}
