/**
 * The image of the `tsxla` command, held to the repository without Docker. What its first stage does is done by
 * tests/packed, with the package.
 *
 * Example run: npm run jest -- deploy/tsxla
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import picomatch from "picomatch";
import { root, runCli, temporaryFolder } from "../../tests/support/cli.ts";
import { allOf, environmentOf, readDockerfile } from "../../tests/support/dockerfile.ts";

const ours = await readDockerfile(join(root, "deploy/tsxla/Dockerfile"));
const workers = await readDockerfile(join(root, "deploy/worker/Dockerfile"));
const [packageStage, image] = ours.stages;
const worker = workers.stages.at(-1);
if (!packageStage || !image || !worker) throw new Error("a stage is missing");
const text = await readFile(join(root, "deploy/tsxla/Dockerfile"), "utf8");
const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Record<string, never>;

test("what is copied is in the context, and in the checkout once it is packed", async () => {
  const [first, ...seen] = (await readFile(join(root, "deploy/tsxla/Dockerfile.dockerignore"), "utf8"))
    .trim()
    .split("\n");
  expect(first).toBe("*");
  const sources = allOf(packageStage, "COPY").flatMap((rest) => rest.split(" ").slice(0, -1));
  expect(seen.map((line) => line.slice(1)).toSorted()).toEqual(sources.toSorted());
  const packed = `${manifest.name}-${manifest.version}.tgz`;
  for (const source of sources) {
    expect({ source, there: existsSync(join(root, source)) || picomatch.isMatch(packed, source) }).toMatchObject({
      there: true,
    });
  }
});

test("Node is one version that the package takes, of the Debian that the worker's image has", () => {
  const [, major = "", debian] = /^(\d+)\.\d+\.\d+-(\w+)-slim$/.exec(ours.args.get("NODE") ?? "") ?? [];
  expect(packageStage.base).toMatch(/^node:\$\{NODE\}$/);
  expect(manifest.engines).toEqual({ node: ">=20" });
  expect(Number(major)).toBeGreaterThanOrEqual(20);
  expect(workers.args.get("PYTHON")?.split("-slim-")[1]).toBe(debian);
});

test("it stands upon the worker's image as that is built, and adds no user and no rights", async () => {
  expect(image.base).toMatch(/^\$\{WORKER\}$/);
  const readme = await readFile(join(root, "deploy/README.md"), "utf8");
  for (const page of [text, readme]) {
    expect(page).toContain(`docker build -f deploy/worker/Dockerfile -t ${ours.args.get("WORKER")} .`);
    expect(page).toContain("docker build -f deploy/tsxla/Dockerfile -t tsxla .");
  }
  expect(image.instructions.filter(({ word }) => word === "USER")).toEqual([]);
  expect(allOf(worker, "USER")).toEqual(["10001:10001"]);
});

test("its workers run in the environment of the worker's image, and keep programs in its volume", () => {
  const { TSXLA_VENV, XDG_CACHE_HOME } = environmentOf(image);
  expect(allOf(worker, "COPY")).toContain(`--from=build ${TSXLA_VENV} ${TSXLA_VENV}`);
  expect(workers.stages[0]?.instructions[2]?.rest).toContain(`python -m venv ${TSXLA_VENV}`);
  expect(allOf(worker, "VOLUME")).toEqual([JSON.stringify([XDG_CACHE_HOME])]);
});

test("that environment has what a packaged tsxla wants, in its versions", async () => {
  const lines = async (name: string) =>
    (await readFile(join(root, "python-worker", name), "utf8")).split("\n").filter((line) => line.includes("=="));
  // The worker's image installs under the constraints of requirements.lock.
  expect(await lines("requirements.lock")).toEqual(expect.arrayContaining(await lines("requirements-run.lock")));
});

test("what a manifest's pull container runs is on its PATH, and its default image is this one", async () => {
  const file = join(await temporaryFolder(), "workers.yaml");
  const words = ["--model", "gpt-oss-20b", "--target", "tpu:v4:2x2x1", "--text-only", "--manifest", file];
  expect(await runCli(["compile", ...words])).toMatchObject({ code: 0 });
  expect(await readFile(file, "utf8")).toMatch(
    /name: pull\n\s+image: tsxla\n\s+command:\n\s+- tsxla\n\s+args:\n\s+- pull\n/,
  );
  const [home] = allOf(packageStage, "WORKDIR");
  expect(environmentOf(image).PATH).toBe(`${home}/bin:$PATH`);
  expect(allOf(packageStage, "RUN").join()).toContain("ln -s tsxla.mjs bin/tsxla");
  expect(manifest.bin).toEqual({ tsxla: "bin/tsxla.mjs" });
  expect(allOf(image, "COPY")).toEqual([
    "--from=package /usr/local/bin/node /usr/local/bin/node",
    "--from=package /node_modules /node_modules",
  ]);
});

test("it is asked to stop with the signal that the command heeds", async () => {
  expect(allOf(image, "STOPSIGNAL")).toEqual(["SIGINT"]);
  expect(await readFile(join(root, "cli/main.ts"), "utf8")).toContain('process.once("SIGINT", interrupt)');
});
