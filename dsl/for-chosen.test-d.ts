/** The body of `forChosen` sees one entry: its axis is gone. */
import { axes, forChosen, type Inputs, type Tensor } from "./index.ts";

const ax = axes({ token: 3, choice: 2, expert: 4, embed: 2, mlp: 3 });

declare const given: Inputs;
declare const ids: Tensor<"token" | "choice">;
declare const h: Tensor<"token" | "embed">;

const entries = { up: given.input("up", "f32", ax.expert, ax.mlp, ax.embed) };
const chosen = { along: ax.choice, ids, weights: ids };
forChosen(ax.expert, chosen, entries, (e) => h.dot(e.up, "embed")) satisfies Tensor<"token" | "mlp">;
// @ts-expect-error  the body sees one entry: there is no axis left to sum over
forChosen(ax.expert, chosen, entries, (e) => e.up.sum("expert"));
