/** Keys and values of earlier positions. */
import type { Axis } from "./axes.ts";
import { iota } from "./ops/iota.ts";
import { settle } from "./ops/settle.ts";
import type { Tensor } from "./tensor.ts";

// Public API

/** Keys and values of earlier positions. Ring or linear, how long, in what order: the target's choice, not the model's. */
export interface KeyValueCache<B extends string = "batch", H extends string = "kvHead", D extends string = "dim"> {
  /**
   * Appends this chunk and returns all that is held. `age` is how many positions ago each key was written, as seen
   * from each query; negative for keys that are not there yet or belong to nobody. Rows may stand at different positions.
   */
  extend(
    k: Tensor<B | "pos" | H | D>,
    v: Tensor<B | "pos" | H | D>,
  ): {
    readonly k: Tensor<B | "key" | H | D>;
    readonly v: Tensor<B | "key" | H | D>;
    readonly age: Tensor<B | "pos" | "key">;
  };
}

/** One layer's tensors: what a program takes and, extended, returns. */
export interface CacheState {
  readonly k: Tensor<"batch" | "key" | "kvHead" | "dim">;
  readonly v: Tensor<"batch" | "key" | "kvHead" | "dim">;
}

/**
 * A cache that keeps every position where it stands: row `b`'s chunk goes to `start[b]` and after.
 *
 * Whoever calls the program sees to it that the chunk fits: `start + pos` is at most the size of `key`.
 *
 * @param start  i32, how many positions each row holds already
 */
export class LinearCache implements KeyValueCache {
  readonly #start: Tensor<"batch">;
  #state: CacheState;

  constructor(state: CacheState, start: Tensor<"batch">) {
    this.#state = state;
    this.#start = start;
  }

  /** The tensors now, for the program to return. */
  get state(): CacheState {
    return this.#state;
  }

  extend(k: Tensor<"batch" | "pos" | "kvHead" | "dim">, v: Tensor<"batch" | "pos" | "kvHead" | "dim">) {
    const old = this.#state;
    const append = (room: CacheState["k"], chunk: typeof k) =>
      settle(room.update("key", this.#start, chunk.rename("pos", "key").cast(room.dtype) as CacheState["k"]));
    this.#state = { k: append(old.k, k), v: append(old.v, v) };
    return {
      k: this.#state.k.cast(k.dtype),
      v: this.#state.v.cast(v.dtype),
      age: linearAge(this.#start, axisNamed(k.axes, "pos"), axisNamed(old.k.axes, "key")),
    };
  }
}

/** How long ago each key was written, seen from each query, when row `b`'s queries stand at `start[b]` and after. */
export function linearAge(start: Tensor<"batch">, pos: Axis<"pos">, key: Axis<"key">): Tensor<"batch" | "pos" | "key"> {
  const query = start.broadcast(pos).add(iota(pos));
  return query.broadcast(key).sub(iota(key));
}

// Implementation

function axisNamed<N extends string>(axes: readonly Axis[], name: N): Axis<N> {
  return axes.find((axis) => axis.name === name) as Axis<N>;
}
