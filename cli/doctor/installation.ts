/** What set-up made: Node's and Python's packages in their pinned versions, and the code made of the contract. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { environmentFolder, projectPython, requirements } from "../../runtime-bridge/launch/environment-paths.ts";
import { isCheckout, packageRoot } from "../../runtime-bridge/launch/package-root.ts";
import { type Check, fail, ok, warn } from "./check.ts";

// Public API

/** Names and versions. */
export type Versions = Readonly<Record<string, string>>;

export function checkNode(version: string): Check {
  const found = Number(version.split(".")[0]);
  return found >= 20
    ? ok("node", `${version} (20 or newer is needed)`)
    : fail("node", version, "install Node 20 or newer");
}

/** Compares what is installed with what is pinned. @param what  `npm packages` or `python packages` */
export function checkPackages(
  what: string,
  pinned: Versions,
  installed: Readonly<Record<string, string | undefined>>,
  remedy = setUp,
): Check {
  const wrong = Object.entries(pinned).filter(([name, version]) => installed[name] !== version);
  if (wrong.length === 0) return ok(what, `${Object.keys(pinned).length} in their pinned versions`);
  const listed = wrong
    .slice(0, 4)
    .map(([name, version]) => `${name} ${installed[name] ?? "missing"} instead of ${version}`);
  const more = wrong.length > 4 ? `, and ${wrong.length - 4} more` : "";
  return fail(what, `${listed.join(", ")}${more}`, remedy);
}

/** The plug-ins that JAX finds other devices with. */
export function checkPlugins(
  installed: Versions,
  devices: { readonly nvidia: boolean; readonly tpu: boolean },
): readonly Check[] {
  const cuda = Object.keys(installed).find((name) => /^jax-cuda\d+-plugin$/.test(name));
  const jax = installed.jax ?? "?";
  return [
    plugin("plug-in for NVIDIA", cuda, cuda === undefined ? undefined : installed[cuda], {
      there: devices.nvidia,
      what: "an NVIDIA GPU",
      install: `pip install jax-cuda13-plugin==${jax} jax-cuda13-pjrt==${jax}`,
    }),
    plugin("plug-in for TPU", "libtpu", installed.libtpu, {
      there: devices.tpu,
      what: "a TPU",
      install: `pip install 'jax[tpu]==${jax}'`,
    }),
  ];
}

/** All of it. */
export async function checkInstallation(): Promise<readonly Check[]> {
  const python = existsSync(projectPython) ? await pythonVersions() : undefined;
  const checks = [checkNode(process.versions.node), await checkNpm()];
  if (python === undefined) checks.push(fail("python", `there is none at ${projectPython}`, setUp));
  else {
    const [major = 0, minor = 0] = python.version.split(".").map(Number);
    const isEnough = major > 3 || (major === 3 && minor >= 12);
    checks.push(
      isEnough
        ? ok("python", `${python.version} in ${projectPython}`)
        : fail("python", python.version, `install Python 3.12 or newer, remove ${environmentFolder}, and run ${setUp}`),
      checkPackages("python packages", await pinnedPython(), python.installed),
      ...checkPlugins(python.installed, {
        nvidia: existsSync("/dev/nvidia0"),
        tpu: existsSync("/dev/accel0") || existsSync("/dev/vfio/0"),
      }),
    );
  }
  checks.push(await checkMade(), checkEnvironment(process.env));
  return checks;
}

/** Variables that change what runs, whether or not they were set for it. */
export function checkEnvironment(environment: NodeJS.ProcessEnv): Check {
  const found = ["XLA_FLAGS", "JAX_PLATFORMS", "JAX_ENABLE_X64", "LIBTPU_INIT_ARGS", "LD_PRELOAD", "PYTHONHOME"].filter(
    (name) => environment[name],
  );
  if (found.length === 0) return ok("environment", "no variable changes what XLA does");
  const set = found.map((name) => `${name}=${environment[name]}`).join(" ");
  return warn(
    "environment",
    set,
    "programs may be compiled or run otherwise than tests expect: unset what is not meant",
  );
}

// Implementation

/** What is built for the package lies in a folder of it. */
const root = isCheckout ? packageRoot : join(packageRoot, "..");
const setUp = isCheckout ? "npm run setup" : "npx tsxla setup";

function plugin(
  name: string,
  packageName: string | undefined,
  version: string | undefined,
  { there, what, install }: { readonly there: boolean; readonly what: string; readonly install: string },
): Check {
  if (version !== undefined) return ok(name, `${packageName} ${version}`);
  if (!there) return ok(name, `absent, as is ${what}`);
  return warn(name, `absent, and there is ${what}`, `${projectPython} -m ${install}`);
}

async function checkNpm(): Promise<Check> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { dependencies: Versions };
  const installed = await Promise.all(
    Object.keys(manifest.dependencies).map(async (name) => [name, await versionSeenFrom(root, name)] as const),
  );
  const remedy = isCheckout ? setUp : "npm install";
  return checkPackages("npm packages", manifest.dependencies, Object.fromEntries(installed), remedy);
}

/** The version of the package that an import from a folder finds: in the nearest node_modules above it that has it. */
async function versionSeenFrom(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(folder, "node_modules", name, "package.json"), "utf8").catch(() => undefined);
  if (text !== undefined) return (JSON.parse(text) as { readonly version?: string }).version;
  return folder === dirname(folder) ? undefined : versionSeenFrom(dirname(folder), name);
}

/** Names as PyPI compares them. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

async function pinnedPython(): Promise<Versions> {
  const list = isCheckout ? join(root, "python-worker/requirements.lock") : requirements;
  const lock = await readFile(list, "utf8");
  const lines = lock.split("\n").filter((line) => /^[\w.-]+==/.test(line));
  return Object.fromEntries(lines.map((line) => [plain(line.split("==")[0] as string), line.split("==")[1] as string]));
}

async function pythonVersions(): Promise<{ readonly version: string; readonly installed: Versions }> {
  const script = `import importlib.metadata as m, json, platform
print(json.dumps({"version": platform.python_version(), "installed": [[d.name, d.version] for d in m.distributions()]}))`;
  const { stdout } = await promisify(execFile)(projectPython, ["-c", script], { timeout: 60_000 });
  const found = JSON.parse(stdout) as { version: string; installed: [string, string][] };
  return {
    version: found.version,
    installed: Object.fromEntries(found.installed.map(([name, at]) => [plain(name), at])),
  };
}

/** Set-up itself knows what is older than what it was made of. */
async function checkMade(): Promise<Check> {
  const name = "made by set-up";
  const [script, words] = isCheckout ? ["setup", []] : ["setup-installed", [environmentFolder, requirements]];
  const path = join(packageRoot, `scripts/${script}.mjs`);
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...words, "--check"], {
    timeout: 60_000,
  }).catch((error: { stdout?: string; message: string }) => ({ stdout: error.stdout || error.message }));
  const missing = stdout.trim().split("\n");
  if (missing[0]?.startsWith("Everything is in place"))
    return ok(name, isCheckout ? "packages, weights, and the contract's code are up to date" : environmentFolder);
  return fail(
    name,
    `out of date: ${
      missing
        .slice(1)
        .map((line) => line.trim())
        .join(", ") || missing[0]
    }`,
    setUp,
  );
}
