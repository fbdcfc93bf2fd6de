/** What models are asked to go on with: an encyclopedia, arithmetic, code, another language, a story. */
export const prompts: readonly string[] = [
  "The capital of France is",
  "Counting by sevens: 7, 14, 21, 28,",
  "def fibonacci(n: int) -> int:\n    ",
  "« Où est la bibliothèque ? » means in English:",
  "The lighthouse keeper had not spoken to anyone for eleven days when",
];
