/**
 * Groups that run already, and what is refused of them: `npm run jest -- tests/hosts/remote.test.ts`.
 *
 * The hosts have folders of their own, as on several machines, and are reached over TCP.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, open, stat, truncate } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseTarget } from "../../compiler/index.ts";
import { loadModel, Worker } from "../../inference/index.ts";
import { type HostTensor, hostTensor, toNumbers } from "../../runtime-bridge/index.ts";
import { compileCache } from "../../runtime-bridge/launch/cache-folders.ts";
import { projectPython, pythonPath } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, runCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import "../support/needs-python.ts";

let folder: string;
let checkpoint: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  checkpoint = join(folder, "tiny");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_gpt_oss.py"), "plain-rope", checkpoint]);
});
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

describe("a group of two hosts", () => {
  let addresses: readonly string[];
  const roots = [0, 1].map((index) => () => join(folder, `host-${index}`));

  beforeAll(async () => {
    for (const place of roots) {
      await mkdir(place());
      await cp(checkpoint, join(place(), "same"), { recursive: true });
      await cp(checkpoint, join(place(), "differing"), { recursive: true });
    }
    await changeLastByte(join(folder, "host-1/differing/model.safetensors"));
    addresses = await startHosts(roots.map((place) => place()));
  }, 90_000);

  test("is reached by its addresses in any order, and runs a model whose files lie elsewhere on each host", async () => {
    await using worker = await Worker.connect(addresses.toReversed());
    expect(worker.hosts.map(({ address }) => address)).toEqual(addresses);
    const target = parseTarget("cpu:2", { mesh: "model=2" });
    await using model = await loadModel("same", { worker, target });
    let tokens = 0;
    for await (const _ of model.generate({ tokens: [1, 2, 3] }, { maxTokens: 4, temperature: 0 })) tokens += 1;
    expect(tokens).toBe(4);
  }, 60_000);

  test("is what the command line calls a worker, and it says what each host has read", async () => {
    const words = ["--model", "same", "--tokens", "1,2,3", "--out", join(folder, "logits.safetensors")];
    const hosts = addresses.flatMap((address) => ["--worker", address]);
    const ended = await runCli(["logits", ...words, ...hosts, "--target", "cpu:2", "--mesh", "model=2"]);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toMatch(/host 0 read [\d.]+ k?B of [\d.]+ k?B\n.*host 1 read [\d.]+ k?B of [\d.]+ k?B\n/);
  }, 60_000);

  test("refuses weights that differ between hosts, before any is read", async () => {
    await using worker = await Worker.connect(addresses);
    let hasLoaded = false;
    const onLoad = () => {
      hasLoaded = true;
    };
    const error = await loadModel("differing", { worker, onLoad }).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).toMatch(
      /^the hosts of the group disagree about the weights in differing\n {2}host 0 {2}[0-9a-f]{64} {2}\(127\S+\)\n {2}host 1 {2}[0-9a-f]{64} {2}\(127\S+\)$/,
    );
    expect(error).toMatchObject({ code: "GROUP_MISMATCH", exitCode: 1, fields: { host: 1 } });
    expect(hasLoaded).toBe(false);
    // The group goes on.
    expect((await worker.info()).devices).toHaveLength(2);
  });

  test("names the host that has no such file", async () => {
    await cp(checkpoint, join(folder, "host-0/lonely"), { recursive: true });
    await using worker = await Worker.connect(addresses);
    await expect(worker.openCheckpoint("lonely")).rejects.toMatchObject({
      code: "PATH_NOT_FOUND",
      message: expect.stringMatching(/^host 1 of the group of 2 \(127\S+\): \S+lonely can't be opened/) as unknown,
    });
    await expect(worker.openCheckpoint("missing")).rejects.toThrow(/^\S+host-0\/missing can't be opened/);
  });

  test("names the host whose file was cut off, keeps nothing of the load, and goes on", async () => {
    for (const place of roots) await cp(checkpoint, join(place(), "cut"), { recursive: true });
    await using worker = await Worker.connect(addresses);
    const opened = await worker.openCheckpoint("cut");
    await truncate(join(folder, "host-1/cut/model.safetensors"), 4096);
    const items = [...opened.tensors.keys()].map((name) => ({ tensors: [name] }));
    await expect(worker.load(opened, items)).rejects.toMatchObject({
      code: "CHECKPOINT_INVALID",
      message: expect.stringMatching(
        /^host 1 of the group of 2 \(127\S+\): \S+ it has changed since it was opened/,
      ) as unknown,
    });
    const { tensors } = await worker.openCheckpoint("same");
    const [first] = tensors.keys();
    const again = await worker.load(await worker.openCheckpoint("same"), [{ tensors: [first as string] }]);
    expect(again).toHaveLength(1);
    expect((await worker.info()).buffers).toBe(1);
  });

  test("runs programs of one device on every host, and splits results over hosts that are fetched whole", async () => {
    await using worker = await Worker.connect(addresses);
    const doubled = await worker.compile(doubleText(""));
    const split = await worker.compile(doubleText(splitMesh));
    const x = hostTensor("f32", [4], [1, 2, 3, 4]);
    const { results: kept } = await worker.execute(split, [x]);
    // From one placement to the other and back, through buffers.
    const { results: single } = await worker.execute(doubled, [kept[0]!]);
    const { results: again } = await worker.execute(split, [single[0]!], { fetch: "all" });
    expect(numbers(again[0]!)).toEqual([8, 16, 24, 32]);
    expect(numbers(await worker.download(kept[0]!))).toEqual([2, 4, 6, 8]);
    await using session = worker.session();
    await session.store(0, x);
    const call = session.define({ executable: split, arguments: [{ slot: 0 }], results: [0] });
    const steps = [1, 2, 3].map(() => session.step(call, [], { fetch: [0] }));
    expect((await Promise.all(steps)).map(({ tensors }) => numbers(tensors[0]!)[3])).toEqual([8, 16, 32]);
    expect(numbers(await session.fetch(0))).toEqual([8, 16, 24, 32]);
  });

  test("stays in step when sessions run side by side, one is abandoned and a step is refused", async () => {
    await using worker = await Worker.connect(addresses);
    const split = await worker.compile(doubleText(splitMesh));
    const chains = Array.from({ length: 4 }, async (_, n) => {
      await using session = worker.session();
      await session.store(0, hostTensor("f32", [4], [n, n, n, n]));
      const call = session.define({ executable: split, arguments: [{ slot: 0 }], results: [0] });
      let last: readonly number[] = [];
      for (let step = 0; step < 10; step++) {
        const { tensors } = await session.step(call, [], { fetch: [0] });
        last = numbers(tensors[0]!);
      }
      return last[0];
    });
    const abandoned = worker.session();
    const call = abandoned.define({ executable: split, arguments: [{ slot: 7 }], results: [7] });
    await expect(abandoned.step(call)).rejects.toMatchObject({ code: "SLOT_EMPTY" });
    await abandoned.close();
    const leaving = new AbortController();
    const left = worker.execute(split, [hostTensor("f32", [4], [1, 1, 1, 1])], { signal: leaving.signal });
    leaving.abort("enough");
    await expect(left).rejects.toBe("enough");
    expect(await Promise.all(chains)).toEqual([0, 1024, 2048, 3072]);
  });

  test("is one client's at a time", async () => {
    await using first = await Worker.connect(addresses);
    await expect(Worker.connect(addresses, { timeoutMs: 500 })).rejects.toMatchObject({
      code: "GROUP_BUSY",
      message: expect.stringContaining("of the group is taken: another client has it") as unknown,
    });
    expect((await first.info()).devices).toHaveLength(2);
  });

  test.each([
    [
      () => [addresses[1]!],
      /^the worker at 127\S+ is host 1 of a group of 2, and 1 address was named; name all hosts of a group, each once$/,
    ],
    [() => [addresses[1]!, addresses[1]!], /^127\S+ and 127\S+ are both host 1 of a group$/],
  ])("is refused in part: %#", async (named, text) => {
    await expect(Worker.connect(named())).rejects.toMatchObject({
      code: "GROUP_INVALID",
      message: expect.stringMatching(text) as unknown,
    });
  });
});

test(exhaustive("hosts of differing versions are refused, with both; SIGTERM ends them in order"), async () => {
  const before = children.length;
  const addresses = await startHosts([folder, folder], ["", "0.0.9"]);
  await expect(Worker.connect(addresses)).rejects.toMatchObject({
    code: "GROUP_MISMATCH",
    message: expect.stringMatching(
      /^the hosts of the group disagree about the version of tsxla's worker\n {2}host 0 {2}\d\S+ {2}\(127\S+\)\n {2}host 1 {2}0\.0\.9 {2}\(127\S+\)$/,
    ) as unknown,
  });
  const own = children.slice(before);
  const ends = own.map(async (child) => (await once(child, "exit")) as [number | null, string | null]);
  for (const child of own) child.kill("SIGTERM");
  // One of them may miss the other before it has said goodbye itself.
  for (const [code, signal] of await Promise.all(ends)) expect([code, signal]).toEqual([code === 6 ? 6 : 0, null]);
}, 60_000);

const numbers = (of: HostTensor): readonly number[] => Array.from(toNumbers(of));

/** Doubles four numbers. */
const doubleText = (mesh: string): string => {
  const attribute = mesh === "" ? "" : ' {sdy.sharding = #sdy.sharding<@mesh, [{"model"}]>}';
  return `module @double {
  ${mesh}func.func public @main(%x: tensor<4xf32>${attribute}) -> (tensor<4xf32>${attribute}) {
    %0 = stablehlo.add %x, %x : tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}
`;
};
const splitMesh = 'sdy.mesh @mesh = <["model"=2]>\n  ';

/** Starts a host for each root. A version is what the host claims to be. */
async function startHosts(places: readonly string[], versions: readonly string[] = []): Promise<readonly string[]> {
  const coordinator = `127.0.0.1:${await freePort()}`;
  return await Promise.all(
    places.map(async (place, index) => {
      const words = ["--root", place, "--cache-dir", compileCache(), "--coordinator", coordinator];
      const numbers = ["--num-processes", String(places.length), "--process-id", String(index)];
      const start = versions[index]
        ? [
            "-c",
            `import tsxla_worker; tsxla_worker.__version__ = "${versions[index]}"; import tsxla_worker.__main__ as m; m.main()`,
          ]
        : ["-m", "tsxla_worker"];
      const child = spawn(projectPython, [...start, ...words, ...numbers], {
        stdio: ["ignore", "pipe", "ignore"],
        env: { ...process.env, PYTHONPATH: pythonPath.join(delimiter) },
      });
      children.push(child);
      for await (const line of createInterface(child.stdout!)) {
        if (line.startsWith("{")) return (JSON.parse(line) as { address: string }).address;
      }
      throw new Error(`host ${index} ended before it was ready`);
    }),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function changeLastByte(file: string): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, size - 1);
  byte[0] = (byte[0] as number) ^ 1;
  await handle.write(byte, 0, 1, size - 1);
  await handle.close();
}
