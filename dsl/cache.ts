/** Keys and values of earlier positions. */
import type { Axis } from "./axes.ts";
import { barrier } from "./ops/barrier.ts";
import { iota } from "./ops/iota.ts";
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
  readonly #held: HeldPositions;

  constructor(state: CacheState, start: Tensor<"batch">) {
    this.#held = new HeldPositions(state, start, writeInPlace, linearAge);
  }

  /** The tensors now, for the program to return. */
  get state(): CacheState {
    return this.#held.state;
  }

  extend(k: Tensor<"batch" | "pos" | "kvHead" | "dim">, v: Tensor<"batch" | "pos" | "kvHead" | "dim">) {
    return this.#held.extend(k, v);
  }
}

/**
 * A cache that keeps a window: position `p` stands at `p` modulo the size of `key`, over what stood there before.
 *
 * The ring must hold the window and the largest chunk together. Then whatever a chunk overwrites, padding included, is
 * older than any later query looks back, and a layer that masks by its window sees what it would see of all positions.
 *
 * @param start  i32, how many positions each row holds already
 */
export class RingCache implements KeyValueCache {
  readonly #held: HeldPositions;

  constructor(state: CacheState, start: Tensor<"batch">) {
    this.#held = new HeldPositions(state, start, writeAround, ringAge);
  }

  /** The tensors now, for the program to return. */
  get state(): CacheState {
    return this.#held.state;
  }

  extend(k: Tensor<"batch" | "pos" | "kvHead" | "dim">, v: Tensor<"batch" | "pos" | "kvHead" | "dim">) {
    return this.#held.extend(k, v);
  }
}

/** How long ago each place of a ring was written, seen from each query; negative for places that were not. */
export function ringAge(start: Tensor<"batch">, pos: Axis<"pos">, key: Axis<"key">): Tensor<"batch" | "pos" | "key"> {
  const last = start.add(pos.size - 1);
  const back = last.broadcast(key).sub(iota(key)).rem(key.size);
  const written = last.broadcast(key).sub(back.where(back.ge(0), back.add(key.size)));
  const query = start.broadcast(pos).add(iota(pos));
  const age = query.broadcast(key).sub(written);
  return age.where(written.ge(0), -1);
}

/** How long ago each key was written, seen from each query, when row `b`'s queries stand at `start[b]` and after. */
export function linearAge(start: Tensor<"batch">, pos: Axis<"pos">, key: Axis<"key">): Tensor<"batch" | "pos" | "key"> {
  const query = start.broadcast(pos).add(iota(pos));
  return query.broadcast(key).sub(iota(key));
}

// Implementation

type Chunk = Tensor<"batch" | "pos" | "kvHead" | "dim">;
type Room = CacheState["k"];

/** The room with a chunk written where `start` says. */
type Write = (room: Room, chunk: Chunk, start: Tensor<"batch">) => Room;

/** What all caches do: chunks are written, and all that is held is returned with its age. */
class HeldPositions {
  state: CacheState;
  readonly #start: Tensor<"batch">;
  readonly #write: Write;
  readonly #age: typeof linearAge;

  constructor(state: CacheState, start: Tensor<"batch">, write: Write, age: typeof linearAge) {
    this.state = state;
    this.#start = start;
    this.#write = write;
    this.#age = age;
  }

  extend(k: Chunk, v: Chunk) {
    const { k: oldK, v: oldV } = this.state;
    this.state = { k: this.#append(oldK, k), v: this.#append(oldV, v) };
    return {
      k: this.state.k.cast(k.dtype),
      v: this.state.v.cast(v.dtype),
      age: this.#age(this.#start, axisNamed(k.axes, "pos"), axisNamed(oldK.axes, "key")),
    };
  }

  #append(room: Room, chunk: Chunk): Room {
    return barrier(this.#write(room, chunk.cast(room.dtype), this.#start));
  }
}

const writeInPlace: Write = (room, chunk, start) => room.update("key", start, chunk.rename("pos", "key"));

const writeAround: Write = (room, chunk, start) => {
  const key = axisNamed(room.axes, "key");
  const pos = axisNamed(chunk.axes, "pos");
  // One position never wraps: it is written in place.
  if (pos.size === 1) return writeInPlace(room, chunk, start.rem(key.size));
  // Each place takes the position of the chunk that falls on it, if one does.
  const place = start.broadcast(key).neg().add(iota(key));
  // The remainder has the sign of the left operand, and places may lie before the start.
  const offset = place.rem(key.size).add(key.size).rem(key.size);
  return chunk.take("pos", offset.min(pos.size - 1)).where(offset.lt(pos.size), room);
};

function axisNamed<N extends string>(axes: readonly Axis[], name: N): Axis<N> {
  return axes.find((axis) => axis.name === name) as Axis<N>;
}
