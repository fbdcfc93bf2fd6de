/** Where this package is, and whether it is a checkout of the project. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Whether this is the project itself and not an installed package. */
export const isCheckout = existsSync(join(packageRoot, "dsl/index.ts"));
