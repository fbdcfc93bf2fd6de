/** One cold trace, for trace.bench.ts: prints the processor time of each stage. Arguments: MODEL POS CAPACITY COMPUTE. */
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const started = now();
const { cpu, lower } = await import("../compiler/index.ts");
const { traceStep } = await import("../inference/programs/step-program.ts");
const { storageWithoutFiles } = await import("../inference/programs/weight-storage.ts");
const { findByConfig, publishedConfigs } = await import("../models/index.ts");

const [model, pos, capacity, compute] = process.argv.slice(2) as [string, string, string, string];
const imported = now();
const target = cpu({ compute });
const architecture = findByConfig(publishedConfigs[model]);
const sizes = { batch: 1, pos: Number(pos), capacity: Number(capacity) };
const config = architecture.fromHuggingFace(publishedConfigs[model]);
const graph = traceStep(architecture, config, target, sizes, "last", storageWithoutFiles(architecture, target));
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
