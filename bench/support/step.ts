/** One step program of a real model, wired into a session: what the benchmarks of running things share. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cpu, lower, type Signature } from "../../compiler/index.ts";
import { axis, InputError, trace } from "../../dsl/index.ts";
import { openModel } from "../../inference/programs/model-files.ts";
import { ModelPrograms } from "../../inference/programs/model-programs.ts";
import { loadWeights, planWeights } from "../../inference/programs/weights.ts";
import {
  type CallArgument,
  type DeviceBuffer,
  type Executable,
  type HostTensor,
  hostTensor,
  type Session,
  type SessionCall,
  type Worker,
} from "../../runtime-bridge/index.ts";

// Public API

/** The checkpoint that set-up makes, unless `--model` names another. */
export const defaultModel = fileURLToPath(new URL("../../checkpoints/smollm2-135m-instruct.gguf", import.meta.url));

/** A loaded model. */
export interface Loaded {
  readonly programs: ModelPrograms;
  /** Bytes of the weights as they lie on the device. */
  readonly weightBytes: number;
  /** Bytes of the tensors in the file. */
  readonly tensorBytes: number;
  /** Elements of the weights. */
  readonly weightCount: number;
  compile(sizes: { readonly pos: number; readonly capacity: number }): Promise<WiredStep>;
}

/** A step and all that it takes. */
export interface WiredStep {
  readonly executable: Executable;
  /** The inputs of one run, at a position. */
  inputs(start: number): HostTensor[];
  /** The results that the sampler needs. */
  readonly candidates: readonly number[];
  readonly logits: readonly number[];
  /** Opens a session with empty caches, and wires the step into it. */
  open(): Promise<{ session: Session; call: SessionCall }>;
  /** The arguments of one `Execute`, with the state that the last one gave. */
  arguments(inputs: readonly HostTensor[], state: readonly DeviceBuffer[]): (DeviceBuffer | HostTensor)[];
  /** The state among the results of one `Execute`. */
  state(results: readonly (DeviceBuffer | HostTensor)[]): DeviceBuffer[];
  /** State to start from. */
  empty(): Promise<readonly DeviceBuffer[]>;
}

/** Loads a model and nothing else. */
export async function loadForBench(worker: Worker, path: string, compute: string): Promise<Loaded> {
  if (!existsSync(path)) {
    throw new InputError("FILE_NOT_FOUND", `${path} does not exist; \`npm run setup\` makes the default model`, {
      path,
    });
  }
  const target = cpu({ compute });
  const files = await openModel(worker, path);
  let tensorBytes = 0;
  const onProgress = ({ bytesTotal }: { readonly bytesTotal: number }) => void (tensorBytes = bytesTotal);
  const plan = planWeights(files, target);
  const weights = await loadWeights(worker, files, plan, { onProgress });
  const programs = new ModelPrograms(worker, files, target, weights, plan.storageOf);
  const counts = [...weights.values()].map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const weightCount = counts.reduce((sum, count) => sum + count, 0);
  return {
    programs,
    weightCount,
    tensorBytes,
    weightBytes: weightCount * (compute === "f32" ? 4 : 2),
    async compile({ pos, capacity }) {
      const { executable, signature } = await programs.step({ pos, capacity, outputs: "last" });
      const frequencies = programs.frequencyInputs(capacity);
      return wire({
        worker,
        executable,
        signature,
        state: programs.cacheNames,
        inputs: ["tokens", "start", "length", ...programs.frequencyNames],
        candidates: ["candidates.values", "candidates.ids", "logSumExp"],
        given: (start) => [
          hostTensor("i32", [1, pos], new Int32Array(pos).fill(1)),
          hostTensor("i32", [1], Int32Array.of(start)),
          hostTensor("i32", [1], Int32Array.of(pos)),
          ...frequencies.map(({ values }) => hostTensor("f32", [1, values.length], values)),
        ],
        empty: () => programs.emptyCaches(capacity),
        weight: (name) => programs.weight(name),
      });
    },
  };
}

/** A program with the state and the results of a step and none of its work: what is left is the bridge. */
export async function compileEmpty(worker: Worker, vocab: number): Promise<WiredStep> {
  const [batch, candidate] = [axis("batch", 1), axis("candidate", 64)];
  const program = lower(
    trace("empty_step", (inputs) => {
      const token = inputs.input("token", "i32", batch);
      const next = inputs.state("state", "f32", batch, candidate).add(token.cast("f32"));
      return { logits: next.sum("candidate").broadcast(axis("vocab", vocab)), candidates: next.mul(2), state: next };
    }),
  );
  return wire({
    worker,
    executable: await worker.compile(program),
    signature: program.signature,
    state: ["state"],
    inputs: ["token"],
    candidates: ["candidates"],
    given: () => [hostTensor("i32", [1], Int32Array.of(1))],
    empty: async () => [await worker.upload(hostTensor("f32", [1, 64], new Float32Array(64)))],
    weight: (name) => {
      throw new Error(`an empty step has no weight '${name}'`);
    },
  });
}

// Implementation

/** A program, and where its arguments come from. */
interface Wiring {
  readonly worker: Worker;
  readonly executable: Executable;
  readonly signature: Signature;
  /** Arguments that stay on the device, in the order of their slots. */
  readonly state: readonly string[];
  /** Arguments that each run is given. */
  readonly inputs: readonly string[];
  /** The results that the sampler needs, when it does not need all logits. */
  readonly candidates: readonly string[];
  given(start: number): HostTensor[];
  empty(): Promise<readonly DeviceBuffer[]>;
  weight(name: string): DeviceBuffer;
}

function wire({ worker, executable, signature, state, inputs, candidates, given, empty, weight }: Wiring): WiredStep {
  const slots = new Map(state.map((name, slot) => [name, slot]));
  const places = (names: readonly string[]) =>
    names.map((wanted) => signature.results.findIndex(({ name }) => name === wanted));
  return {
    executable,
    candidates: places(candidates),
    logits: places(["logits"]),
    inputs: given,
    empty,
    async open() {
      const session = worker.session();
      for (const [slot, buffer] of (await empty()).entries()) await session.store(slot, buffer);
      const sources = signature.arguments.map(({ name }): CallArgument => {
        const slot = slots.get(name);
        if (slot !== undefined) return { slot };
        const input = inputs.indexOf(name);
        return input >= 0 ? { input } : weight(name);
      });
      const results = signature.results.map(({ name }) => slots.get(name));
      return { session, call: session.define({ executable, arguments: sources, results }) };
    },
    arguments: (values, held) =>
      signature.arguments.map(({ name }) => {
        const slot = slots.get(name);
        if (slot !== undefined) return held[slot]!;
        const input = inputs.indexOf(name);
        return input >= 0 ? values[input]! : weight(name);
      }),
    state: (results) => places(state).map((index) => results[index] as DeviceBuffer),
  };
}
