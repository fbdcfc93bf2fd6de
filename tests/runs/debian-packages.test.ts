/** `.ci/run` installs the Debian packages that tests need: scripts/debian-packages.mjs, with programs that stand in for Debian's. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { root, temporaryFolder } from "../support/cli.ts";

/** Runs the script with a list, where only `installed` is there. */
async function install(list: string): Promise<{ readonly output: string; readonly asked: string }> {
  const folder = await temporaryFolder();
  const programs = join(folder, "bin");
  mkdirSync(programs);
  const program = (name: string, body: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  program("dpkg-query", 'case "$*" in *" installed") printf "installed\\t1.2\\n";; *) exit 1;; esac');
  program("apt-get", `echo "$*" >> ${folder}/asked`);
  writeFileSync(join(folder, "list.txt"), list);
  writeFileSync(join(folder, "asked"), "");
  const env = { ...process.env, PATH: `${programs}:${dirname(process.execPath)}:/bin:/usr/bin` };
  const script = join(root, "scripts/debian-packages.mjs");
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, join(folder, "list.txt")], {
    env,
    encoding: "utf8",
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return { output: stdout, asked: readFileSync(join(folder, "asked"), "utf8") };
}

test("nothing is asked of apt-get when the list is empty, or everything on it is installed", async () => {
  expect(await install("# none\n\n")).toEqual({
    output: "Debian packages that tests need: 0 listed, none missing.\n",
    asked: "",
  });
  expect(await install("installed # a server\n")).toEqual({
    output: "Debian packages that tests need: 1 listed, none missing.\n",
    asked: "",
  });
});

test("missing packages are installed by root, and named to anybody else", async () => {
  const { output, asked } = await install("installed\nabsent\n");
  if (process.getuid?.() === 0)
    expect(asked).toBe("--version\nupdate --quiet\ninstall --yes --no-install-recommends absent\n");
  else expect(output).toContain("Missing Debian packages: absent.");
});

test("the list of the repository can be read", async () => {
  const list = readFileSync(join(root, "scripts/debian-packages.txt"), "utf8");
  for (const line of list.split("\n")) expect(line).toMatch(/^(?:[a-z0-9][a-z0-9.+-]+)?(?: *#.*)?$/);
});
