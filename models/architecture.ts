/**
 * What a model is to the rest of the house: its configuration, its weights, its equations, and where its checkpoints
 * keep things. An architecture is a value, so that a user's own file can stand in for a built-in one.
 */
import type { AxisRole, CacheState, KeyValueCache, Param, ParamTree, Storage, Tensor } from "../dsl/index.ts";
import type { CheckpointTables } from "./checkpoints/checkpoint.ts";

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

/** What files call the models of a family. */
export interface FamilyNames {
  readonly name: string;
  /** What config.json may have as `model_type`. */
  readonly modelTypes: readonly string[];
  /** What a GGUF header may have as `general.architecture`; its keys begin with the same. */
  readonly ggufNames: readonly string[];
}

/**
 * Radians a position for each rotary pair: one set for all layers, or several by name, such as `{ global, local }`, where
 * some layers turn by another base.
 */
export type FrequencySets<T> = T | Readonly<Record<string, T>>;

/** The same as a program is given it, f32. */
export type RotaryInputs = FrequencySets<Tensor<"batch" | "freq">>;

/**
 * What a forward pass is given besides weights.
 *
 * `F` is the sets of frequencies that the architecture gives: one, or a record with their names.
 */
export interface ForwardInputs<F extends RotaryInputs = Tensor<"batch" | "freq">> {
  /** Token ids, i32. */
  readonly tokens: Tensor<"batch" | "pos">;
  /** Where each token stands, i32, from 0. */
  readonly positions: Tensor<"batch" | "pos">;
  /** What `Architecture.frequencies` says, for each row. */
  readonly frequencies: F;
  /** One for each layer. */
  readonly caches: readonly KeyValueCache[];
  /** The cache of a layer, counted from 0. @throws InputError when the configuration has fewer layers */
  cache(layer: number): KeyValueCache;
}

/** How a model of one family is declared. */
// biome-ignore lint/suspicious/noExplicitAny: weights differ from one architecture to the next, and no caller looks inside.
export interface Architecture<C extends ModelConfig = ModelConfig, W = any, F extends RotaryInputs = SetsOf<W>> {
  readonly name: string;
  /** What config.json may have as `model_type`; absent is `name` alone. */
  readonly modelTypes?: readonly string[];
  /** What a GGUF header may have as `general.architecture`; absent is `name` alone. */
  readonly ggufNames?: readonly string[];
  /** Whether a config.json without a `model_type` that is known is of this family. */
  claims?(config: unknown): boolean;
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
  forward(weights: W, inputs: ForwardInputs<F>, config: C): Tensor<"batch" | "pos" | "embed">;
  /**
   * The logits of one position of each row. Where every position has logits, `hidden` and the result have the axis `pos`
   * too, which the equation does not name.
   */
  unembed(weights: W, hidden: Tensor<"batch" | "embed">): Tensor<"batch" | "vocab">;
  /**
   * Radians a position for each rotary pair of each set, when a row will be `length` positions long. Without it nothing
   * turns: positions are learned, say.
   */
  frequencies?(config: C, length: number): FrequencySets<Float32Array>;
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
  readonly tables?: Partial<CheckpointTables>;
  /** The format in which the family's models chat, where code has to write and read it; absent is their own template. */
  readonly chat?: ChatFormat;
  /** What each axis is, for targets that split tensors over devices. */
  readonly roles: Readonly<Record<string, AxisRole>>;
}

/** Chat formats that are more than a template: Harmony, github.com/openai/harmony. */
export type ChatFormat = "harmony";

/** One layer's cache as a program takes it. */
export type { CacheState };

// Implementation

/**
 * Where an architecture's weights have a type, it has one set of frequencies unless a third parameter says more. Where
 * they have none, in code that takes any architecture, the sets have none either.
 */
// biome-ignore lint/suspicious/noExplicitAny: as above.
type SetsOf<W> = 0 extends 1 & W ? any : Tensor<"batch" | "freq">;
