/**
 * What a model is to the rest of the house: its configuration, its weights, its equations, and where its checkpoints
 * keep things. An architecture is a value, so that a user's own file can stand in for a built-in one.
 */
import type { AxisRole, CacheState, KeyValueCache, Param, ParamTree, Storage, Tensor } from "../dsl/index.ts";
import type { CheckpointTable } from "./checkpoint.ts";

// Public API

/** Values of a GGUF header. */
export type Metadata = ReadonlyMap<string, unknown>;

/** What every architecture's configuration says, whatever else it says. */
export interface ModelConfig {
  readonly layers: number;
  readonly vocab: number;
  /** How many positions the model was made for. */
  readonly context: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What a forward pass is given besides weights. */
export interface ForwardInputs {
  /** Token ids, i32. */
  readonly tokens: Tensor<"batch" | "pos">;
  /** Where each token stands, i32, from 0. */
  readonly positions: Tensor<"batch" | "pos">;
  /** Radians a position for each rotary pair, f32. */
  readonly frequencies: Tensor<"batch" | "freq">;
  /** One for each layer. */
  readonly caches: readonly KeyValueCache[];
  /** The cache of a layer, counted from 0. @throws InputError when the configuration has fewer layers */
  cache(layer: number): KeyValueCache;
}

/** How a model of one family is declared. */
// biome-ignore lint/suspicious/noExplicitAny: weights differ from one architecture to the next, and no caller looks inside.
export interface Architecture<C extends ModelConfig = ModelConfig, W = any> {
  readonly name: string;
  /**
   * Reads config.json.
   *
   * @throws InputError that names every key that is missing or wrong
   */
  fromHuggingFace(config: unknown): C;
  /**
   * Reads a GGUF header. Without it, and `tables.gguf`, the architecture opens no GGUF file.
   *
   * @param tensors  the names of the file's tensors: some facts are told by what is there
   * @throws InputError that names every key that is missing or wrong
   */
  fromGguf?(metadata: Metadata, tensors: ReadonlySet<string>): C;
  /** Every weight, with its Hugging Face key and its axes. */
  weights(config: C): ParamTree;
  /** The last hidden state, normalised: what `unembed` turns into logits. */
  forward(weights: W, inputs: ForwardInputs, config: C): Tensor<"batch" | "pos" | "embed">;
  /**
   * The logits of one position of each row. Where every position has logits, `hidden` and the result have the axis `pos`
   * too, which the equation does not name.
   */
  unembed(weights: W, hidden: Tensor<"batch" | "embed">): Tensor<"batch" | "vocab">;
  /** Radians a position for each rotary pair, when a row will be `length` positions long. */
  frequencies(config: C, length: number): Float32Array;
  /** How far back a layer looks, itself included; undefined is the whole context. Without it, all layers look at all. */
  window?(config: C, layer: number): number | undefined;
  /**
   * How the released files hold weights, for models too large to be widened: they stay as their file has them unless told
   * otherwise, and are taken to be like this where there is no file.
   */
  readonly released?: { readonly experts: Storage; readonly dense: Storage };
  /** Whether a weight is a matrix of experts, which may be held otherwise than the rest. */
  isExpertMatrix?(param: Param): boolean;
  /** The share of a weight that one token is multiplied with, where that is not all of it. */
  activeShare?(param: Param, config: C): number;
  /** Where each layout of checkpoints keeps each weight. Without one for Hugging Face's, a weight's key is its tensor's. */
  readonly tables?: { readonly huggingFace?: CheckpointTable; readonly gguf?: CheckpointTable };
  /** What each axis is, for targets that split tensors over devices. */
  readonly roles: Readonly<Record<string, AxisRole>>;
}

/** One layer's cache as a program takes it. */
export type { CacheState };
