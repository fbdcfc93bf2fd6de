// Plain JavaScript: no loader, no build.
import { axes, trace } from "tsxla";
import { lower } from "tsxla/compiler";

const ax = axes({ pos: 2, embed: 3 });
const graph = trace("double", ({ input }) => input("x", "f32", ax.pos, ax.embed).mul(2));
process.stdout.write(lower(graph, { locations: false }).text);
try {
  trace("wrong", ({ input }) => input("x", "f32", ax.pos).sum("embed"));
} catch (error) {
  console.log(error.name, error.code, error.message.split("\n").at(-1).trim());
}
