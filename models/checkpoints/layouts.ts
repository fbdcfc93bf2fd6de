/** What an architecture knows of each layout of checkpoints: a Hugging Face folder, or a GGUF file. */
import { InputError } from "../../dsl/index.ts";
import type { Architecture, Metadata, ModelConfig } from "../architecture.ts";
import type { CheckpointTable } from "./checkpoint.ts";

// Public API

/**
 * Where a checkpoint keeps the weights of an architecture.
 *
 * @throws InputError for a GGUF file and an architecture that reads none
 */
export function tableOf(architecture: Architecture, container: "gguf" | "safetensors"): CheckpointTable {
  const { huggingFace = ownKeys, gguf } = architecture.tables ?? {};
  if (container === "safetensors") return huggingFace;
  if (gguf === undefined) throw withoutGguf(architecture, "tables.gguf");
  return gguf;
}

/**
 * The configuration that a GGUF header describes.
 *
 * @throws InputError that names every key that is missing or wrong, or the architecture when it reads no GGUF file
 */
export function configFromGguf<C extends ModelConfig>(
  architecture: Architecture<C>,
  metadata: Metadata,
  tensors: ReadonlySet<string>,
): C {
  if (architecture.fromGguf === undefined) throw withoutGguf(architecture, "fromGguf");
  return architecture.fromGguf(metadata, tensors);
}

// Implementation

const ownKeys: CheckpointTable = { source: ({ key }) => ({ kind: "tensor", key }), ignored: [] };

function withoutGguf({ name }: Pick<Architecture, "name">, lacks: string): InputError {
  return new InputError(
    "GGUF_UNSUPPORTED",
    [
      `architecture "${name}" reads no GGUF files: it has no ${lacks}`,
      "  hint  give the model as a Hugging Face folder, or add fromGguf and tables.gguf to the architecture",
    ].join("\n"),
    { architecture: name, lacks },
  );
}
