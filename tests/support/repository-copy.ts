/**
 * A copy of the repository as it stands, for tests that change it as a reader of a page would: edit files, run tsc, jest
 * and the command.
 *
 * Files are copied, since an edit of a link would be an edit of the original. What set-up has installed is linked: nothing
 * there is edited.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// Public API

/** Copies the repository into an empty folder; whatever is there before is removed. */
export async function copyRepository(to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  const { stdout } = await promisify(execFile)(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
    { cwd: root, maxBuffer: 2 ** 24 },
  );
  const paths = [...stdout.split("\0").filter(Boolean), ...generated];
  const folders = new Set(paths.map((path) => dirname(join(to, path))));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  await Promise.all(
    paths.map((path) => cp(join(root, path), join(to, path), { recursive: true, force: true }).catch(ignoreAbsent)),
  );
  for (const path of installed) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await symlink(join(root, path), join(to, path));
  }
}

// Implementation

// Not from ./cli.ts: scripts that run without Jest copy the repository too.
const root = fileURLToPath(new URL("../../", import.meta.url));

/** What set-up generates from the contract. */
const generated = ["proto/generated", "python-worker/generated"];

/** What set-up installs, and what it has transformed already. */
const installed = ["node_modules", ".venv", ".cache/typescript"];

/** Git lists a file that is deleted in the working tree and not yet in a commit. */
function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
