/**
 * Pulls from a hub and a storage on this machine, over sockets.
 *
 * huggingface_hub 2.4.0 fetches the same bytes from that hub (by hand: `HF_ENDPOINT=… snapshot_download`).
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import "../tests/support/plain-snapshots.ts";
import { root, temporaryFolder } from "../tests/support/cli.ts";
import { HubServer, randomBytes, type ServedFiles } from "../tests/support/hub-server.ts";
import { type PullEvent, type PullOptions, pull } from "./index.ts";

const id = "someone/model";
const weights = randomBytes("weights", 700_001);
const model: ServedFiles = {
  "config.json": '{"a": 1}',
  "tokenizer.json": '{"b": 2}',
  "model.safetensors": weights,
  "README.md": "# A model",
  "original/model.safetensors": randomBytes("original", 2000),
};

let hub: HubServer;
let out: string;
let events: PullEvent[];

beforeEach(async () => {
  hub = await HubServer.start();
  out = join(await temporaryFolder(), "model");
  events = [];
});
afterEach(() => hub[Symbol.asyncDispose]());

const run = (options: PullOptions = {}) =>
  pull(id, {
    endpoint: hub.endpoint,
    token: null,
    out,
    chunkBytes: 100_000,
    firstWaitMs: 2,
    onEvent: (event) => events.push(event),
    ...options,
  });

/** Begins a pull of a slow hub, and stops it when it has half of the weights. */
async function stopHalfway(): Promise<void> {
  hub.behaviour.bytesPerSecond = 400_000;
  const stop = new AbortController();
  const onEvent = (event: PullEvent) => event.kind === "progress" && event.held > 200_000 && stop.abort();
  await expect(run({ signal: stop.signal, onEvent })).rejects.toThrow();
  delete hub.behaviour.bytesPerSecond;
}

/** What a person would read, without the places of this run. */
async function refusal(options: PullOptions = {}): Promise<string> {
  const error = (await run(options).then(
    () => expect(undefined).toBe("an error"),
    (thrown: unknown) => thrown,
  )) as Error & { code: string };
  return `${error.name} ${error.code}\n${error.message}`
    .replaceAll(hub.endpoint, "HUB")
    .replaceAll(hub.endpoint.replace("http://", ""), "HUB")
    .replaceAll(hub.storage.replace("http://", ""), "STORAGE")
    .replaceAll(out, "OUT");
}

/** The files under their names. */
async function names(): Promise<readonly string[]> {
  const entries = await readdir(out, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths
    .map((path) => path.slice(out.length + 1))
    .filter((path) => !path.startsWith(".tsxla-pull/"))
    .sort();
}

/** Jest compares bytes one by one. */
async function expectContent(path: string, wanted: unknown): Promise<void> {
  const found = await readFile(join(out, path));
  expect({ path, size: found.length, isSame: found.equals(wanted as Buffer) }).toEqual({
    path,
    size: (wanted as Buffer).length,
    isSame: true,
  });
}

const kinds = () => new Set(events.map(({ kind }) => kind));

describe("pull", () => {
  test("fetches what a model needs, in ranges of which none is larger than asked, and nothing else", async () => {
    const commit = hub.commit(id, model);
    const pulled = await run();
    expect(await names()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    await expectContent("model.safetensors", weights);
    expect(pulled).toMatchObject({ commit, directory: out, model: out, bytes: 700_017, fetchedBytes: 700_017 });
    const ranges = hub.requestsFor("model.safetensors").filter(({ server }) => server === "storage");
    expect(ranges.map(({ range }) => range).sort()).toEqual([
      "bytes=0-99999",
      "bytes=100000-199999",
      "bytes=200000-299999",
      "bytes=300000-399999",
      "bytes=400000-499999",
      "bytes=500000-599999",
      "bytes=600000-699999",
      "bytes=700000-700000",
    ]);
    expect(hub.fileBytes).toBe(700_017);
    expect(await readdir(join(out, ".tsxla-pull"))).toEqual(["manifest.json"]);
  });

  test.each<[string, readonly string[], string | undefined]>([
    ["the folder", ["config.json", "model.safetensors", "original/config.json", "original/model.safetensors"], "."],
    ["a folder below", ["README.md", "original/config.json", "original/model.safetensors"], "original"],
    ["none of two", ["a/config.json", "a/model.safetensors", "b/config.json", "b/model.safetensors"], undefined],
    ["a GGUF", ["config.json", "Q4/m.gguf"], "Q4/m.gguf"],
    ["none of a GGUF in parts", ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"], undefined],
    ["none where weights have no configuration", ["model.safetensors", "a/config.json"], undefined],
  ])("says that %s is what can be loaded", async (_, paths, wanted) => {
    hub.commit(id, Object.fromEntries(paths.map((path) => [path, path])));
    const { model: found } = await run({ include: ["**"] });
    expect(found).toBe(wanted === undefined ? undefined : join(out, wanted));
  });

  test("fetches nothing when everything is there, and what is missing when something was removed", async () => {
    hub.commit(id, model);
    await run();
    const before = hub.fileBytes;
    expect((await run()).fetchedBytes).toBe(0);
    expect(hub.fileBytes).toBe(before);
    await rm(join(out, "tokenizer.json"));
    expect((await run()).fetchedBytes).toBe(8);
  });

  test("goes on after bodies that are cut in the middle, and takes no byte twice", async () => {
    hub.commit(id, model);
    hub.behaviour.cutEvery = 3;
    expect((await run()).fetchedBytes).toBe(700_017);
    await expectContent("model.safetensors", weights);
    expect(kinds()).toContain("retry");
    // What was sent and cut was kept: each byte left the server once.
    expect(hub.fileBytes).toBe(700_017);
  });

  test("gives up on a server that never sends a byte, and says what to do", async () => {
    hub.commit(id, model);
    hub.behaviour.intercept = (_, response, server) => server === "storage" && response.destroy() !== undefined;
    expect(await refusal({ attempts: 3 })).toMatchInlineSnapshot(`
RuntimeFailure NETWORK
model.safetensors could not be fetched: STORAGE: other side closed
  tried 3 times without progress
  hint  run the same command again: what has come is kept
`);
    expect(hub.requestsFor("original/model.safetensors")).toEqual([]);
    expect(await names()).toEqual([]);
  });

  test("fetches from a server that knows no ranges, and takes up where it was", async () => {
    hub.commit(id, model);
    hub.behaviour.noRanges = true;
    hub.behaviour.cutEvery = 3;
    expect((await run()).fetchedBytes).toBe(700_017);
    await expectContent("model.safetensors", weights);
  });

  test("fetches files with names of any kind, and files without a byte", async () => {
    const files = { empty: "", "a b/ü #1?%20.txt": "odd", "a b/+&=;'\"": randomBytes("odd", 5000) };
    hub.commit(id, files);
    await run({ include: ["**"] });
    expect(await names()).toEqual(Object.keys(files).sort());
    expect(await readFile(join(out, "a b/+&=;'\""))).toEqual(files["a b/+&=;'\""]);
    expect((await stat(join(out, "empty"))).size).toBe(0);
  });

  test("reads a list that comes in pages", async () => {
    hub.commit(id, model);
    hub.behaviour.pageSize = 2;
    await run({ include: ["**/*"] });
    expect(await names()).toEqual(Object.keys(model).sort());
  });

  test("waits as long as a busy server asks", async () => {
    hub.commit(id, model);
    let refused = 0;
    hub.behaviour.intercept = (request, response) => {
      if (!request.url?.includes("/resolve/") || refused >= 2) return false;
      refused += 1;
      response.writeHead(429, refused === 1 ? { "retry-after": "1" } : { ratelimit: '"resolvers";r=0;t=1' }).end();
      return true;
    };
    await run({ connections: 1 });
    const waits = events.flatMap((event) => (event.kind === "retry" ? [event.waitMs] : []));
    expect(waits).toEqual([1000, 1000]);
  });

  test("does not wait for hours", async () => {
    hub.commit(id, model);
    hub.behaviour.intercept = (request, response) =>
      request.url?.startsWith("/api/") === true &&
      response.writeHead(429, { "retry-after": "7200" }).end() !== undefined;
    expect(await refusal()).toMatchInlineSnapshot(`
RuntimeFailure NETWORK
someone/model could not be fetched: HUB answers 429; the server asks to wait 7200 s
  tried once without progress
  hint  run the same command again: what has come is kept
`);
  });

  test("asks the hub again when an address of the storage has expired", async () => {
    hub.commit(id, model);
    let asked = 0;
    hub.behaviour.intercept = (_, response, server) => {
      if (server !== "storage" || (asked += 1) !== 3) return false;
      response.writeHead(403).end("expired");
      return true;
    };
    await run({ connections: 1 });
    await expectContent("model.safetensors", weights);
    expect(hub.requestsFor("model.safetensors").filter(({ server }) => server === "hub")).toHaveLength(2);
  });

  test("leaves a server that falls silent in the middle, and goes on", async () => {
    hub.commit(id, model);
    let silent = 0;
    hub.behaviour.intercept = (_, response, server) => {
      if (server !== "storage" || (silent += 1) > 1) return false;
      response.writeHead(206, { "content-range": "bytes 0-99999/700001", "content-length": 100_000 });
      response.write(weights.subarray(0, 5000));
      return true;
    };
    await run({ silenceMs: 300 });
    await expectContent("model.safetensors", weights);
    const reasons = events.flatMap((event) => (event.kind === "retry" ? [event.reason] : []));
    expect(reasons).toContainEqual(expect.stringMatching(/Timeout/));
  });

  test("can be stopped, and goes on later", async () => {
    hub.commit(id, model);
    hub.behaviour.bytesPerSecond = 400_000;
    const stop = new AbortController();
    const stopped = run({
      signal: stop.signal,
      onEvent: (event) => event.kind === "progress" && event.held > 300_000 && stop.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
    expect(await names()).toEqual([]);
    delete hub.behaviour.bytesPerSecond;
    const { fetchedBytes } = await run();
    expect(fetchedBytes).toBeLessThan(420_000);
    await expectContent("model.safetensors", weights);
  });
});

describe("the token", () => {
  test("is sent to the hub alone, not to the servers that it redirects to", async () => {
    hub.commit(id, model);
    await run({ token: "hf_secret" });
    const heard = (server: string) =>
      new Set(hub.served.filter((each) => each.server === server).map((each) => each.authorization));
    expect(heard("hub")).toEqual(new Set(["Bearer hf_secret"]));
    expect(heard("storage")).toEqual(new Set([undefined]));
  });

  test("is in no error", async () => {
    hub.behaviour.intercept = (_, response) => response.writeHead(401).end() !== undefined;
    expect(await refusal({ token: "hf_secret" })).not.toContain("secret");
  });
});

describe("a pull that was killed", () => {
  /** A process that pulls; dies when it is told to. */
  function start(): ChildProcess {
    const source = `
      import { pull } from ${JSON.stringify(join(root, "hub/index.ts"))};
      await pull(${JSON.stringify(id)}, ${JSON.stringify({ endpoint: hub.endpoint, token: null, out, connections: 2, chunkBytes: 1 << 20 })});
    `;
    const loader = join(root, "bin/typescript-loader.mjs");
    return spawn(process.execPath, ["--import", loader, "--input-type=module", "-e", source], { stdio: "inherit" });
  }

  test("goes on where it was: nothing is served again but what was on its way", async () => {
    const large = randomBytes("large", 8 << 20);
    hub.commit(id, { "config.json": "{}", "model.safetensors": large });
    hub.behaviour.bytesPerSecond = 4e6;
    for (const part of [0.3, 0.6]) {
      const child = start();
      while (hub.fileBytes < part * large.length) await new Promise((soon) => setTimeout(soon, 20));
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(await names()).toEqual([]);
    }
    delete hub.behaviour.bytesPerSecond;
    const before = hub.fileBytes;
    const { fetchedBytes } = await run();
    await expectContent("model.safetensors", large);
    expect(hub.fileBytes - before).toBe(fetchedBytes);
    // Of two streams in two kills a quarter of a megabyte each that was not noted, and what the sockets held.
    expect(hub.fileBytes - large.length).toBeLessThan(2 * 2 * (1 << 19));
  });

  test("lets no other work in its folder while it lives, and any after it", async () => {
    hub.commit(id, model);
    hub.behaviour.bytesPerSecond = 1000;
    const child = start();
    while (hub.requestsFor("model.safetensors").length < 2) await new Promise((soon) => setTimeout(soon, 20));
    expect((await refusal()).replace(String(child.pid), "PID")).toMatchInlineSnapshot(`
RuntimeFailure FOLDER_BUSY
another pull (process PID) works in this folder
  hint  if there is none any more: rm OUT/.tsxla-pull/lock
`);
    child.kill("SIGKILL");
    await once(child, "exit");
    delete hub.behaviour.bytesPerSecond;
    await run();
    expect(await names()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  });

  test("with all files whole, and none or some under their names, is finished without a byte", async () => {
    hub.commit(id, model);
    await run();
    const manifest = join(out, ".tsxla-pull/manifest.json");
    // As after a kill before the second rename of three.
    const state = JSON.parse(await readFile(manifest, "utf8")) as { files: Record<string, unknown>; staged: object };
    await writeFile(manifest, JSON.stringify({ ...state, staged: state.files }));
    await mkdir(join(out, ".tsxla-pull/parts"));
    for (const name of ["model.safetensors", "tokenizer.json"]) {
      const part = createHash("sha256").update(name).digest("hex").slice(0, 32);
      await rename(join(out, name), join(out, ".tsxla-pull/parts", part));
    }
    expect(await names()).toEqual(["config.json"]);
    expect((await run()).fetchedBytes).toBe(0);
    expect(await names()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  });
});

describe("what is not the commit's", () => {
  test("is refused by its name, and nothing is left under a name", async () => {
    hub.commit(id, { ...model, "model.safetensors": { content: weights, claims: { digest: "7".repeat(64) } } });
    hub.behaviour.noLinkedEtag = true;
    hub.behaviour.storageEtag = () => '"a tag"';
    expect(await refusal()).toMatchInlineSnapshot(`
RuntimeFailure CHECKSUM
model.safetensors is not what commit 61b13e631b0f0e726019b6faadd74fb1d388c19d has: its sha256 is f87b32d5b2d86ea2be07f71ce3519fc1abee9b092c771f98d168ef6f82cf9d5a; wanted 7777777777777777777777777777777777777777777777777777777777777777
`);
    expect(await names()).toEqual([]);
    expect(kinds()).toContain("discarded");
  });

  test("is seen in git's files too", async () => {
    hub.commit(id, { ...model, "config.json": { content: Buffer.from("{}"), claims: { digest: "7".repeat(40) } } });
    hub.behaviour.intercept = (request, response) =>
      request.url?.endsWith("/config.json") === true && response.writeHead(200).end("{}") !== undefined;
    expect(await refusal()).toMatchInlineSnapshot(`
RuntimeFailure CHECKSUM
config.json is not what commit f1ed78bf3b5406cc31ccb1d37da960297be49ab1 has: its git-sha1 is 9e26dfeeb6e641a33dae4961196235bdb965b21b; wanted 7777777777777777777777777777777777777777
`);
  });

  test("by the hub's own word is not fetched at all", async () => {
    const commit = hub.commit(id, model);
    hub.behaviour.intercept = (request, response, server) => {
      if (server === "storage" || !request.url?.endsWith("/model.safetensors")) return false;
      response
        .writeHead(302, {
          location: `${hub.storage}${request.url}`,
          "x-linked-etag": `"${"5".repeat(64)}"`,
          "x-repo-commit": commit,
        })
        .end();
      return true;
    };
    expect((await refusal()).replaceAll(commit, "COMMIT")).toMatchInlineSnapshot(`
RuntimeFailure CHECKSUM
model.safetensors is not what commit COMMIT has: the hub calls it 5555555555555555555555555555555555555555555555555555555555555555; wanted f87b32d5b2d86ea2be07f71ce3519fc1abee9b092c771f98d168ef6f82cf9d5a
`);
  });

  test.each([
    ["more", 600_000],
    ["fewer", 800_000],
  ])("by its size is refused: %s bytes than the list says", async (_, size) => {
    for (const noRanges of [false, true]) {
      hub.commit(id, { ...model, "model.safetensors": { content: weights, claims: { size } } });
      Object.assign(hub.behaviour, { noLinkedEtag: true, noRanges });
      expect(await refusal()).toContain(`it has 700001 bytes; wanted ${size}`);
      expect(await names()).toEqual([]);
    }
  });

  test("in bytes beyond the end is not taken", async () => {
    hub.commit(id, model);
    hub.behaviour.intercept = (request, response) => {
      if (!request.url?.endsWith("/config.json")) return false;
      response.writeHead(200);
      response.end('{"a": 1} and more');
      return true;
    };
    expect(await refusal()).toContain("it goes on beyond the 8 bytes that it should have");
  });

  test("because it is of another commit is refused", async () => {
    hub.commit(id, model);
    hub.behaviour.intercept = (request, response) =>
      request.url?.endsWith("/config.json") === true &&
      response.writeHead(200, { "x-repo-commit": "f".repeat(40) }).end('{"a": 1}') !== undefined;
    expect(await refusal()).toMatch(/gives config.json of commit f{40}; wanted /);
  });

  test("that an earlier pull left half is thrown away when the storage calls its content otherwise now", async () => {
    hub.commit(id, model);
    hub.behaviour.noLinkedEtag = true;
    hub.behaviour.storageEtag = () => '"first"';
    await stopHalfway();
    hub.behaviour.storageEtag = () => '"second"';
    await run();
    expect(events.find(({ kind }) => kind === "discarded")).toMatchObject({
      path: "model.safetensors",
      reason: 'it was "first" when it began and is "second" now',
    });
    await expectContent("model.safetensors", weights);
  });

  test("though it was resumed is fetched once more as a whole", async () => {
    hub.commit(id, model);
    await stopHalfway();
    const parts = join(out, ".tsxla-pull/parts");
    for (const name of await readdir(parts)) {
      // A disk that lost what it had.
      if (!name.endsWith(".journal"))
        await writeFile(join(parts, name), Buffer.alloc((await stat(join(parts, name))).size));
    }
    await run();
    expect(kinds()).toContain("discarded");
    await expectContent("model.safetensors", weights);
  });
});

describe("another commit", () => {
  const other = randomBytes("other", 500_000);

  test("replaces files and takes away those that it does not have, all at once", async () => {
    hub.commit(id, { ...model, "tokenizer_config.json": "{}" });
    await run();
    hub.commit(id, { ...model, "model.safetensors": other });
    const { fetchedBytes } = await run();
    expect(fetchedBytes).toBe(500_000);
    expect(await names()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    await expectContent("model.safetensors", other);
    expect(events).toContainEqual({ kind: "removed", path: "tokenizer_config.json" });
  });

  test("leaves the files of the first as they are until it is whole", async () => {
    hub.commit(id, model);
    await run();
    hub.commit(id, { ...model, "config.json": '{"a": 2}', "model.safetensors": other });
    hub.behaviour.intercept = (_, response, server) => server === "storage" && response.destroy() !== undefined;
    await expect(run({ attempts: 2 })).rejects.toThrow("could not be fetched");
    expect(await readFile(join(out, "config.json"), "utf8")).toBe('{"a": 1}');
    await expectContent("model.safetensors", weights);
    delete hub.behaviour.intercept;
    await run();
    expect(await readFile(join(out, "config.json"), "utf8")).toBe('{"a": 2}');
    await expectContent("model.safetensors", other);
  });

  test("has no use for half a file of the first", async () => {
    hub.commit(id, model);
    await stopHalfway();
    hub.commit(id, { ...model, "model.safetensors": other });
    await run();
    await expectContent("model.safetensors", other);
  });

  test("is pulled by the name of a branch with a slash", async () => {
    const commit = hub.commit(id, model, "refs/pr/7");
    expect((await run({ revision: "refs/pr/7" })).commit).toBe(commit);
  });
});

describe("a folder that holds something already", () => {
  test("keeps what is the repository's own", async () => {
    hub.commit(id, model);
    await mkdir(out);
    await writeFile(join(out, "model.safetensors"), weights);
    expect((await run()).fetchedBytes).toBe(16);
  });

  test("is not overwritten, unless that is asked for", async () => {
    hub.commit(id, model);
    await mkdir(out);
    await writeFile(join(out, "config.json"), '{"mine": 1}');
    expect(await refusal()).toMatchInlineSnapshot(`
InputError IN_THE_WAY
OUT/config.json is something else than the repository's config.json, and no pull put it there
  hint  move it away, or pass --overwrite
`);
    expect(await names()).toEqual(["config.json"]);
    await run({ overwrite: true });
    expect(await readFile(join(out, "config.json"), "utf8")).toBe('{"a": 1}');
    await writeFile(join(out, "config.json"), '{"a": 7}');
    expect(await refusal()).toContain("no pull put it there");
  });

  test("of another repository is refused", async () => {
    hub.commit(id, model);
    hub.commit("someone/else", model);
    await run();
    expect((await refusalOf("someone/else")).replaceAll(out, "OUT")).toBe(
      "OUT holds someone/model; someone/else needs a folder of its own",
    );
  });

  test("with a link in place of a folder is not written through", async () => {
    hub.commit(id, { "sub/config.json": "{}" });
    await mkdir(out);
    const elsewhere = await temporaryFolder();
    await symlink(elsewhere, join(out, "sub"));
    expect(await refusal({ include: ["**"] })).toMatch(/OUT\/sub is no folder/);
    expect(await readdir(elsewhere)).toEqual([]);
  });

  test("is found to have changed by the time of change alone", async () => {
    hub.commit(id, model);
    await run();
    await utimes(join(out, "model.safetensors"), 1, 1);
    // Read again, and the same.
    expect((await run()).fetchedBytes).toBe(0);
  });

  test("that cannot be one is refused", async () => {
    hub.commit(id, model);
    await writeFile(out, "a file");
    expect(await refusal()).toMatch(/^InputError OUTPUT\nOUT cannot be a folder for files: /);
  });

  test("is not made for a pull that picks nothing", async () => {
    hub.commit(id, { "README.md": "x" });
    await refusal();
    await expect(stat(out)).rejects.toThrow("ENOENT");
  });

  const refusalOf = (repository: string): Promise<string> =>
    pull(repository, { endpoint: hub.endpoint, token: null, out }).then(
      () => "no error",
      (error: Error) => error.message,
    );
});

describe("the hub's refusals", () => {
  const answer = (status: number, headers: Record<string, string> = {}, at = "/") => {
    hub.behaviour.intercept = (request, response) =>
      request.url?.includes(at) === true && response.writeHead(status, headers).end() !== undefined;
  };

  test("a repository that does not exist, or is private", async () => {
    expect(await refusal()).toMatchInlineSnapshot(`
InputError REPOSITORY
HUB shows nobody without a token a repository someone/model: there is none, or it is private
  hint  check the name; for a private one set HF_TOKEN
`);
    answer(401, { "x-error-code": "RepoNotFound" });
    expect(await refusal({ token: "t" })).toMatchInlineSnapshot(`
InputError REPOSITORY
HUB shows the token from the options a repository someone/model: there is none, or it is private
  hint  check the name, and what the token may read
`);
  });

  test("a revision that does not exist", async () => {
    hub.commit(id, model);
    expect(await refusal({ revision: "v9" })).toMatchInlineSnapshot(`
InputError REVISION
someone/model has no revision 'v9'
  hint  they are listed at HUB/someone/model
`);
  });

  test("a repository whose terms were not accepted", async () => {
    hub.commit(id, model);
    answer(401, { "x-error-code": "GatedRepo" }, "/resolve/");
    expect(await refusal()).toMatchInlineSnapshot(`
InputError GATED
someone/model is gated: it is given to those who accepted its terms
  hint  accept them at HUB/someone/model, then set HF_TOKEN to a token of that account
`);
    answer(403, { "x-error-code": "GatedRepo" }, "/resolve/");
    expect(await refusal({ token: "t" })).toMatchInlineSnapshot(`
InputError GATED
someone/model is gated: it is given to those who accepted its terms, and the token from the options is of nobody who did
  hint  accept them at HUB/someone/model
`);
  });

  test("a token that is not accepted", async () => {
    answer(401, { "x-error-message": "Invalid credentials in Authorization header" });
    expect(await refusal({ token: "t" })).toMatchInlineSnapshot(`
InputError TOKEN
HUB does not accept the token from the options
  hint  make another at HUB/settings/tokens
`);
  });

  test("a file that is forbidden or gone", async () => {
    hub.commit(id, model);
    answer(403, { "x-error-message": "not for you" }, "/resolve/");
    expect(await refusal()).toMatch(/InputError FORBIDDEN\nHUB forbids .*: not for you/);
    answer(404, { "x-error-code": "EntryNotFound" }, "/resolve/");
    expect(await refusal()).toMatch(/InputError FILE\nsomeone\/model has no file .* at 'main'/);
  });

  test("a repository that is disabled", async () => {
    answer(403, { "x-error-message": "Access to this resource is disabled." });
    expect(await refusal()).toContain("someone/model is disabled at HUB");
  });

  test("an answer that is HTML and not JSON", async () => {
    hub.behaviour.intercept = (_, response) => response.end("<html>Welcome to the hotel's network") !== undefined;
    expect(await refusal()).toMatchInlineSnapshot(`
RuntimeFailure ANSWER
HUB describes someone/model in words that are not known: no JSON, but "<html>Welcome to the hotel's network"
`);
  });

  test("a server that is not there", async () => {
    const { endpoint } = hub;
    await hub[Symbol.asyncDispose]();
    expect((await refusal({ attempts: 2 })).replace(endpoint.split(":")[2]!, "PORT")).toMatchInlineSnapshot(`
RuntimeFailure NETWORK
someone/model could not be fetched: HUB: connect ECONNREFUSED HUB
  tried 2 times without progress
  hint  run the same command again: what has come is kept
`);
  });

  test("addresses that lead in a circle", async () => {
    hub.behaviour.intercept = (_, response) => response.writeHead(302, { location: "/again" }).end() !== undefined;
    expect(await refusal()).toContain("leads from one address to the next");
  });
});

describe("names of files", () => {
  test.each([
    "../outside",
    "a/../../outside",
    "/etc/passwd",
    "C:/windows",
    "a\\b",
    "a//b",
    "./a",
    "line\nbreak",
    ".tsxla-pull/manifest.json",
    ".TSXLA-PULL/x",
    "x".repeat(300),
  ])("%j is refused before anything is written", async (name) => {
    hub.commit(id, { ...model, [name]: "x" });
    expect(await refusal({ include: ["**"], files: [name] })).toContain(
      `the repository has a file named ${JSON.stringify(name)}: `,
    );
    await expect(stat(out)).rejects.toThrow("ENOENT");
    // Where it is not needed, it does no harm.
    await run();
    expect(await names()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  });
});

test("a disk without room is told before anything is fetched", async () => {
  hub.commit(id, { ...model, "model.safetensors": { content: weights, claims: { size: 2 ** 52 } } });
  expect(await refusal()).toMatch(
    /^RuntimeFailure DISK_FULL\n4503599\.63 GB are to be fetched, and the disk of OUT has [\d.]+ GB$/,
  );
  expect(hub.requestsFor("model.safetensors")).toEqual([]);
});

test("a proxy is gone through, and hosts that need none are asked directly", async () => {
  hub.commit(id, model);
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket.once("data", (head) => {
      const [, host = "", port] = /^CONNECT ([^:]+):(\d+) /.exec(head.toString()) ?? [];
      asked.push(host);
      const far = connect(Number(port), host, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      far.on("error", () => socket.destroy());
      socket.on("error", () => far.destroy());
      socket.pipe(far).pipe(socket);
    });
  });
  await new Promise<void>((up) => proxy.listen(0, "127.0.0.1", up));
  const { port } = proxy.address() as { port: number };
  try {
    const env = { HTTP_PROXY: `http://127.0.0.1:${port}`, HF_TOKEN_PATH: "/dev/null" };
    await run({ env });
    expect(asked.length).toBeGreaterThan(0);
    await rm(out, { recursive: true });
    const before = asked.length;
    await run({ env: { ...env, NO_PROXY: "127.0.0.1" } });
    expect(asked).toHaveLength(before);
  } finally {
    proxy.close();
  }
});

test("hashes are those of sha256sum and git", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "large"), weights);
  await writeFile(join(folder, "small"), "some text\n");
  const command = async (name: string, ...words: string[]) =>
    (await promisify(execFile)(name, words, { cwd: folder })).stdout;
  const sha256 = (await command("sha256sum", "large")).split(" ")[0] as string;
  const oid = (await command("git", "hash-object", "small")).trim();
  hub.commit(id, {
    large: { content: weights, large: true, claims: { digest: sha256 } },
    small: { content: Buffer.from("some text\n"), large: false, claims: { digest: oid } },
  });
  await run({ include: ["*"] });
  expect(await names()).toEqual(["large", "small"]);
});
