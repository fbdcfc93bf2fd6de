/** Where files of a Llama keep each weight. The keys of `llamaWeights` are Hugging Face's, so only GGUF needs a table. */
import type { CheckpointTable, CheckpointTables } from "./checkpoints/checkpoint.ts";
import { ggufNames, keyIn } from "./checkpoints/gguf-names.ts";

// Public API

export const llamaTables: CheckpointTables = {
  huggingFace: {
    source: ({ key }) => ({ kind: "tensor", key }),
    // Old exports carry the table of rotary frequencies, and tied models their embedding twice.
    ignored: [/(^|\.)rotary_emb\.inv_freq$/, /^lm_head\.weight$/],
  },
  gguf: {
    source({ key }) {
      const own = keyIn(ggufNames, key);
      // llama.cpp's converter interleaves the two halves of each head's rows, for its own way of turning pairs.
      return { kind: "tensor", key: own, ...(/\.attn_[qk]\./.test(own) ? { interleaved: "dim" } : {}) };
    },
    ignored: [],
  },
};

/** The GGUF files of families that llama.cpp turns by halves, as this code does: rows stay in Hugging Face's order. */
export const plainGguf: CheckpointTable = {
  source: ({ key }) => ({ kind: "tensor", key: keyIn(ggufNames, key) }),
  ignored: [],
};
