#!/usr/bin/env node
/**
 * Installs the Debian packages that tests need, as debian-packages.txt lists them.
 *
 *     node scripts/debian-packages.mjs           installs what is missing; does nothing when all is there
 *     node scripts/debian-packages.mjs FILE      takes another list
 *
 * Only root can install, and only where apt-get is: elsewhere it says what is missing and goes on, and the tests that
 * need it are skipped by name.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const list = process.argv[2] ?? fileURLToPath(new URL("debian-packages.txt", import.meta.url));
const wanted = readFileSync(list, "utf8")
  .split("\n")
  .map((line) => line.replace(/#.*/, "").trim())
  .filter((line) => line !== "");

// dpkg-query's default format is name and version; of a package that is not installed the version is empty.
const isInstalled = (name) => {
  const { status, stdout } = spawnSync("dpkg-query", ["--show", name], { encoding: "utf8" });
  return status === 0 && /\t\S/.test(stdout);
};
const missing = wanted.filter((name) => !isInstalled(name));

const apt = (...words) =>
  spawnSync("apt-get", words, {
    stdio: "inherit",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });

if (missing.length === 0) {
  process.stdout.write(`Debian packages that tests need: ${wanted.length} listed, none missing.\n`);
} else if (process.getuid?.() !== 0 || apt("--version").error !== undefined) {
  process.stdout.write(
    `Missing Debian packages: ${missing.join(", ")}. Tests that need them are skipped. Install them as root: apt-get install ${missing.join(" ")}\n`,
  );
} else {
  apt("update", "--quiet");
  process.exitCode = apt("install", "--yes", "--no-install-recommends", ...missing).status ?? 1;
}
