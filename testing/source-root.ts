/** The folder from which files are named in texts: the nearest one above with a package.json. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { addSourceRoot } from "../dsl/index.ts";

/** Names sources below `folder`'s project relative to it, so that two checkouts say the same. */
export function nameSourcesFrom(folder: string): void {
  let root = folder;
  while (!existsSync(join(root, "package.json"))) {
    if (dirname(root) === root) {
      root = folder;
      break;
    }
    root = dirname(root);
  }
  addSourceRoot(root);
}
