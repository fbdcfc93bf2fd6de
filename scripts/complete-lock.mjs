/**
 * Completes package-lock.json with the builds for other platforms, so that `npm ci` works on each of them.
 *
 *     npm install --package-lock-only --ignore-scripts && node scripts/complete-lock.mjs
 *
 * A mirror that carries one platform's packages makes npm leave the others out, and `npm ci` then refuses the lock
 * everywhere. What is added is exact: the version that the parent pins, and the platform that the name states. It has no
 * checksum until somebody locks against a full registry.
 */
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const processors = ["arm64", "arm", "armv7", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"];

let added = 0;
for (const [where, parent] of Object.entries(lock.packages)) {
  if (where === "") continue;
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const words = name.split(/[-/]/);
    const os = systems.find((system) => words.includes(system));
    const cpu = processors.find((processor) => words.includes(processor));
    if (lock.packages[key] || !os || !cpu) continue;
    const libc = /musl/.test(name) ? ["musl"] : /gnu/.test(name) ? ["glibc"] : undefined;
    const dev = parent.dev ? { dev: true } : {};
    lock.packages[key] = {
      version,
      cpu: [cpu === "armv7" ? "arm" : cpu],
      ...dev,
      ...(libc && { libc }),
      optional: true,
      os: [os],
    };
    added += 1;
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
process.stdout.write(`${added} platform packages added\n`);
