// Runs a program on a worker of its own.
import { axes, trace } from "tsxla";
import { lower } from "tsxla/compiler";
import { hostTensor, toNumbers, Worker, WorkerUnavailable } from "tsxla/inference";

const ax = axes({ pos: 3 });
const double = lower(trace("double", ({ input }) => input("x", "f32", ax.pos).mul(2)));
try {
  const worker = await Worker.launch();
  const executable = await worker.compile(double);
  const { results } = await worker.execute(executable, [hostTensor("f32", [3], [1, 2, 3.5])], { fetch: "all" });
  console.log(...toNumbers(results[0]));
  await worker.close();
} catch (error) {
  if (!(error instanceof WorkerUnavailable)) throw error;
  console.log(error.code, error.message);
}
