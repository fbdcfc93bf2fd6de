/** Fetches a repository of the Hugging Face hub at one commit into a folder, as much of it as is not there yet. */
import { readFile } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import { HubClient } from "./client.ts";
import { requireSpace } from "./disk-space.ts";
import { type DownloadContext, downloadFile } from "./file-download.ts";
import { selectFiles, type Wanted } from "./file-selection.ts";
import { type HubFile, listRepository } from "./listing.ts";
import { PartialFile } from "./partial-file.ts";
import { type PullEvent, PullProgress, sizeOf } from "./pull-progress.ts";
import { PulledFolder } from "./pulled-folder.ts";
import { requireSuccess } from "./refusal.ts";
import { fileUrl, parseRepository } from "./repository.ts";
import type { RetryPolicy } from "./retry.ts";
import { parseEndpoint, settingsFrom } from "./settings.ts";
import { Slots } from "./slots.ts";

// Public API

export interface PullOptions extends Wanted {
  /** A branch, a tag or a commit; `main` without. */
  readonly revision?: string;
  /** The folder; without, the repository's name in the working folder. */
  readonly out?: string;
  /** Replace files in that folder that no pull put there. */
  readonly overwrite?: boolean;
  /** Pick and report, but fetch nothing; the folder stays as it is. */
  readonly dryRun?: boolean;
  /** Requests at a time; 8 without. */
  readonly connections?: number;
  /** The most bytes that one request asks for; 16 MiB without. */
  readonly chunkBytes?: number;
  /** How many times in a row something may fail without progress (6), and the first wait after a failure (1000). */
  readonly attempts?: number;
  readonly firstWaitMs?: number;
  /** How long a connection may say nothing before it is taken for dead; 60,000 without. */
  readonly silenceMs?: number;
  /** Instead of HF_ENDPOINT. */
  readonly endpoint?: string;
  /** Instead of the environment's; `null` for none. */
  readonly token?: string | null;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: PullEvent) => void;
}

/** What a pull leaves. */
export interface Pulled {
  readonly repository: string;
  readonly revision: string;
  readonly commit: string;
  readonly directory: string;
  /** What `loadModel` takes: the folder, or its GGUF; absent where no file is a model's. */
  readonly model: string | undefined;
  readonly files: readonly HubFile[];
  /** Of all files. */
  readonly bytes: number;
  /** That this run fetched. */
  readonly fetchedBytes: number;
}

/**
 * Pulls a repository.
 *
 * Nothing stands under its name in the folder before all files are whole and have the commit's checksums. A pull that
 * was ended, in whatever way, goes on where it was when it is started again.
 *
 * @param repository  `OWNER/NAME`
 * @throws InputError when there is no such repository, revision or file, no access to it, or no one model in it
 * @throws RuntimeFailure when the network, the server or the disk fails
 */
export async function pull(repository: string, options: PullOptions = {}): Promise<Pulled> {
  const asked = parseRepository(repository, options.revision);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  await using client = await openClient(options, signal);
  const { commit, files: listed } = await listRepository(client, asked);
  const directory = resolve(options.out ?? posix.basename(asked.id));
  const report = (files: readonly HubFile[], fetchedBytes: number): Pulled => ({
    repository: asked.id,
    revision: asked.revision,
    commit,
    directory,
    model: modelIn(directory, files),
    files,
    bytes: sizeOf(files),
    fetchedBytes,
  });
  if (options.dryRun === true) {
    const read = (file: HubFile) =>
      client.text(file.path, fileUrl(client.endpoint, asked, commit, file.path), (answer, text) => {
        requireSuccess(answer, client, asked, file.path);
        return text;
      });
    return report(await selectFiles(asked.id, listed, options, read), 0);
  }

  await using folder = await PulledFolder.open(directory, asked.id, { overwrite: options.overwrite ?? false, signal });
  const progress = new PullProgress(options.onEvent ?? (() => {}));
  const context: DownloadContext = {
    client,
    repository: asked,
    commit,
    signal,
    slots: new Slots(options.connections ?? defaults.connections),
    chunkBytes: options.chunkBytes ?? defaults.chunkBytes,
    onBytes: (count) => progress.came(count),
    onDiscard: (path, bytes, reason) => progress.discarded(path, bytes, reason),
  };
  const files = await selectFiles(asked.id, listed, options, async (file) => {
    await stage(file, folder, context, progress);
    return await readFile(await folder.contentOf(file), "utf8");
  });
  const held = await Promise.all(
    files.map(async (file) => ((await folder.find(file)) === "partial" ? await folder.held(file) : file.size)),
  );
  progress.planned(
    commit,
    files,
    held.reduce((all, bytes) => all + bytes, 0),
  );
  await requireSpace(directory, progress.missing);
  const staging = files.map((file) => stage(file, folder, context, progress));
  try {
    await Promise.all(staging);
  } catch (error) {
    // Nobody may write any more when the folder is given back.
    stop.abort(error);
    await Promise.allSettled(staging);
    throw error;
  }
  for (const path of await folder.install(commit, files, listed)) progress.removed(path);
  return report(files, progress.fetched);
}

// Implementation

const defaults = { connections: 8, chunkBytes: 16 << 20, attempts: 6, firstWaitMs: 1000, silenceMs: 60_000 };

async function openClient(options: PullOptions, signal: AbortSignal): Promise<HubClient> {
  const found = await settingsFrom(options.env ?? process.env);
  const given = typeof options.token === "string" ? { secret: options.token, from: "the options" } : undefined;
  const settings = {
    ...found,
    ...(options.endpoint === undefined ? {} : { endpoint: parseEndpoint(options.endpoint) }),
    ...(options.token === undefined ? {} : { token: given }),
  };
  const { connections, silenceMs, attempts, firstWaitMs } = { ...defaults, ...options };
  const retry: RetryPolicy = {
    attempts,
    firstMs: firstWaitMs,
    onRetry: (what, reason, waitMs) => options.onEvent?.({ kind: "retry", what, reason, waitMs }),
  };
  return new HubClient(settings, { connections, silenceMs, retry, signal });
}

/** Completes and checks a file beside its name, unless that has been done. */
async function stage(
  file: HubFile,
  folder: PulledFolder,
  context: DownloadContext,
  progress: PullProgress,
): Promise<void> {
  if ((await folder.find(file)) !== "partial") return;
  await using partial = await PartialFile.open(folder.partOf(file), file);
  await downloadFile(partial, context);
  await partial.sync();
  await folder.noteStaged(file);
  progress.checked(file.path);
}

/** What `loadModel` takes: one GGUF, or a folder with a configuration and weights, the top one if it is such. */
function modelIn(directory: string, files: readonly HubFile[]): string | undefined {
  const gguf = files.filter(({ path }) => path.endsWith(".gguf"));
  const [only] = gguf;
  if (only !== undefined && gguf.length === 1) return join(directory, only.path);
  const folders = files.flatMap(({ path }) => (posix.basename(path) === "config.json" ? [posix.dirname(path)] : []));
  const isModel = (folder: string) =>
    files.some(({ path }) => path.endsWith(".safetensors") && posix.dirname(path) === folder);
  const models = folders.filter(isModel);
  const [first] = models.includes(".") ? ["."] : models;
  return first === undefined || (first !== "." && models.length > 1) ? undefined : join(directory, first);
}
