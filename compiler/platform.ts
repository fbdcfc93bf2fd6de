/** What a text is for. */
export type Platform = "cpu" | "cuda" | "tpu";
