/** One cold trace, for trace.bench.ts: prints the processor time of each stage. Arguments: POS CAPACITY COMPUTE. */
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const started = now();
const { cpu, lower } = await import("../compiler/index.ts");
const { traceStep } = await import("../inference/programs.ts");
const { llama } = await import("../models/index.ts");
const { smollm2 } = await import("./smollm2.ts");

const [pos, capacity, compute] = process.argv.slice(2) as [string, string, string];
const imported = now();
const sizes = { batch: 1, pos: Number(pos), capacity: Number(capacity) };
const graph = traceStep(llama, smollm2, cpu({ compute }), sizes, "last");
const traced = now();
const { text } = lower(graph);
const lowered = now();
console.log(
  JSON.stringify({
    importMs: imported - started,
    traceMs: traced - imported,
    lowerMs: lowered - traced,
    bytes: Buffer.byteLength(text),
  }),
);
