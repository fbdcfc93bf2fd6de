"""Writes a GPT-OSS checkpoint of any size with random weights: the released files in all but what they know.

    npm run checkpoint:synthetic -- --config 20b --out DIR           Hugging Face's layout: 13.8 GB, 3 shards
    npm run checkpoint:synthetic -- --config 120b --out DIR --gguf   one GGUF with the same numbers
    npm run checkpoint:synthetic -- --config FILE.json --out DIR     sizes of any GPT-OSS config.json
    npm run checkpoint:synthetic -- --config 20b --dry-run           tensors, bytes and files; writes nothing
    npm run checkpoint:synthetic -- --remove DIR                     removes what this wrote there, and nothing else

Names, shapes, dtypes and the cut into shards are those of openai/gpt-oss-20b and -120b. Weights are random but well
conditioned: every part of the model is heard in the logits, and nothing vanishes or explodes over its layers (see
`tensors.tensors`). The same seed gives the same numbers in both layouts.

Weights are cut from a few pools of random numbers at random places, so the disk is what limits the speed, and no more
than the pools is held in memory. A file appears under its name when it is whole; the same command goes on where an
interrupted one stopped.

    config → tensors ─┐
    fills  → pools ───┴→ hugging_face or gguf_file, with a tokenizer → files → folder (marker, whole_files, progress)

Not here: tiny checkpoints that are the same bits on every machine (tests/parity/random_gpt_oss.py).
"""
