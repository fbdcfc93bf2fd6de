/**
 * A folder into which a repository is pulled: under their names stand the files of one commit, whole and checked, or
 * nothing.
 *
 * What is under way lies in a folder of its own inside, and files get their names by being renamed, all at the end. The
 * manifest is written before that and again afterwards; a kill in between leaves what the next run needs to finish.
 */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { type LockHolder, lockFile } from "../files/file-lock.ts";
import { hashFile } from "./content-hash.ts";
import { stateFolder } from "./file-name.ts";
import type { HubFile } from "./listing.ts";
import { isUntouched, type ManifestEntries, type ManifestEntry, ManifestFile } from "./manifest.ts";
import { heldIn, removePartial } from "./partial-file.ts";

// Public API

/** Where a file stands: under its name, aside and checked, or only in part. */
export type Place = "there" | "staged" | "partial";

export interface FolderOptions {
  /** Whether files that no pull put there may be replaced. */
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
}

export class PulledFolder implements AsyncDisposable {
  readonly path: string;
  readonly #options: FolderOptions;
  readonly #isNew: boolean;
  readonly #lock: AsyncDisposable;
  readonly #manifest: ManifestFile;
  /** What was there before any pull and turned out to be the repository's. */
  readonly #adopted = new Map<string, ManifestEntry>();

  private constructor(
    path: string,
    options: FolderOptions,
    state: { readonly isNew: boolean; readonly lock: AsyncDisposable; readonly manifest: ManifestFile },
  ) {
    this.path = path;
    this.#options = options;
    this.#isNew = state.isNew;
    this.#lock = state.lock;
    this.#manifest = state.manifest;
  }

  /**
   * Makes the folder, and keeps others out of it.
   *
   * @throws InputError when it cannot be one, or holds another repository
   * @throws RuntimeFailure when another pull works there
   */
  static async open(path: string, repository: string, options: FolderOptions): Promise<PulledFolder> {
    const state = join(path, stateFolder);
    const isNew = (await stat(path).catch(() => undefined)) === undefined;
    try {
      await mkdir(join(state, "parts"), { recursive: true });
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new InputError("OUTPUT", `${path} cannot be a folder for files: ${reason}`, { path }, { cause });
    }
    if (!(await lstat(state)).isDirectory()) throw new InputError("OUTPUT", `${state} is no folder`, { path: state });
    const lockPath = join(state, "lock");
    const lock = await lockFile(lockPath, { refusal: (holder) => folderBusy(lockPath, holder) });
    const manifest = await ManifestFile.open(join(state, "manifest.json"), repository);
    const found = manifest.value.repository;
    if (found === repository) return new PulledFolder(path, options, { isNew, lock, manifest });
    await lock[Symbol.asyncDispose]();
    throw new InputError("OUTPUT", `${path} holds ${found}; ${repository} needs a folder of its own`, {
      path,
      found,
      wanted: repository,
    });
  }

  /** Where a file is fetched to before it gets its name. */
  partOf({ path }: HubFile): string {
    return join(this.path, stateFolder, "parts", createHash("sha256").update(path).digest("hex").slice(0, 32));
  }

  /** Where the content of a whole file can be read. */
  async contentOf(file: HubFile): Promise<string> {
    return (await this.find(file)) === "there" ? join(this.path, file.path) : this.partOf(file);
  }

  /** @throws InputError when something stands under the file's name that is not the file and that no pull put there */
  async find(file: HubFile): Promise<Place> {
    await this.#requireFolders(file.path);
    const found = await lstat(join(this.path, file.path)).catch(() => undefined);
    if (found !== undefined && (await this.#digestOf(file, found)) === file.hash.digest) return "there";
    const staged = this.#manifest.value.staged[file.path];
    const part = await stat(this.partOf(file)).catch(() => undefined);
    return staged?.digest === file.hash.digest && isUntouched(staged, part) ? "staged" : "partial";
  }

  /** How many bytes are there of a file that is not whole. */
  async held(file: HubFile): Promise<number> {
    return await heldIn(this.partOf(file), file);
  }

  /** Remembers that a file is whole and was checked. */
  async noteStaged(file: HubFile): Promise<void> {
    const entry = await entryOf(this.partOf(file), file);
    await this.#manifest.update((before) => ({ ...before, staged: { ...before.staged, [file.path]: entry } }));
  }

  /**
   * Gives files their names, and takes away what an earlier pull of another commit left.
   *
   * @param files   all that were picked; each is there or staged
   * @param listed  all that the commit has
   * @returns the paths that were taken away
   */
  async install(commit: string, files: readonly HubFile[], listed: readonly HubFile[]): Promise<readonly string[]> {
    const { value: before } = this.#manifest;
    const digests = new Map(listed.map(({ path, hash }) => [path, hash.digest]));
    const old = Object.entries({ ...before.leaving, ...before.files });
    const isOfCommit = ([path, { digest }]: (typeof old)[number]) => digests.get(path) === digest;
    const leaving = Object.fromEntries(old.filter((each) => !isOfCommit(each)));
    const places = await Promise.all(
      files.map(async (file) => {
        const content = await this.contentOf(file);
        return { file, content, entry: await entryOf(content, file) };
      }),
    );
    const placed = places.map(({ file, entry }) => [file.path, entry] as const);
    const whole = Object.fromEntries([...old.filter(isOfCommit), ...placed]);
    await this.#manifest.update(({ repository, staged }) => ({ repository, commit, files: whole, leaving, staged }));
    for (const { file, content } of places.filter((each) => each.content === this.partOf(each.file))) {
      const to = join(this.path, file.path);
      await mkdir(dirname(to), { recursive: true });
      await rename(content, to);
      await removePartial(content);
    }
    const taken = await this.#takeAway(leaving, new Set(files.map(({ path }) => path)));
    await this.#manifest.update((now) => ({ ...now, leaving: {}, staged: {} }));
    await this.#removeParts(listed);
    return taken;
  }

  /** Gives the folder back; where nothing came into it, nothing is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock[Symbol.asyncDispose]();
    const state = join(this.path, stateFolder);
    // Each goes only if it is empty.
    for (const folder of [join(state, "parts"), state, ...(this.#isNew ? [this.path] : [])]) {
      await rmdir(folder).catch(() => {});
    }
  }

  /** What stands under a file's name, by its hash. */
  async #digestOf(file: HubFile, found: Stats): Promise<string> {
    const { files, leaving } = this.#manifest.value;
    const known = [files[file.path], leaving[file.path], this.#adopted.get(file.path)].find((entry) =>
      isUntouched(entry, found),
    );
    if (known !== undefined) return known.digest;
    const place = join(this.path, file.path);
    if (found.isFile() && found.size === file.size) {
      const digest = await hashFile(place, file.size, file.hash, this.#options);
      if (digest === file.hash.digest) {
        this.#adopted.set(file.path, { size: found.size, mtimeMs: found.mtimeMs, digest });
        return digest;
      }
    }
    if (found.isFile() && this.#options.overwrite) return "";
    throw new InputError(
      "IN_THE_WAY",
      `${place} is something else than the repository's ${file.path}, and no pull put it there\n  hint  move it away, or pass --overwrite`,
      { place, path: file.path },
    );
  }

  /** Files of another commit would be taken for this one's. One that somebody changed is his. */
  async #takeAway(leaving: ManifestEntries, replaced: ReadonlySet<string>): Promise<readonly string[]> {
    const taken: string[] = [];
    for (const [path, entry] of Object.entries(leaving)) {
      const place = join(this.path, path);
      if (replaced.has(path) || !isUntouched(entry, await lstat(place).catch(() => undefined))) continue;
      await rm(place);
      taken.push(path);
    }
    return taken;
  }

  /** What is left of files that the commit does not have. */
  async #removeParts(listed: readonly HubFile[]): Promise<void> {
    const folder = join(this.path, stateFolder, "parts");
    const own = new Set(listed.map((file) => this.partOf(file)));
    const parts = (await readdir(folder)).map((name) => join(folder, name.replace(/\.journal(?:\.new)?$/, "")));
    for (const part of new Set(parts)) if (!own.has(part)) await removePartial(part);
  }

  /** A link on the way would lead what is written out of the folder. */
  async #requireFolders(path: string): Promise<void> {
    const parts = path.split("/");
    for (let n = 1; n < parts.length; n += 1) {
      const folder = join(this.path, ...parts.slice(0, n));
      const found = await lstat(folder).catch(() => undefined);
      if (found === undefined) return;
      if (!found.isDirectory()) {
        throw new InputError("OUTPUT", `${folder} is no folder, and ${path} belongs into it`, { path: folder });
      }
    }
  }
}

// Implementation

async function entryOf(place: string, { hash }: HubFile): Promise<ManifestEntry> {
  const { size, mtimeMs } = await stat(place);
  return { size, mtimeMs, digest: hash.digest };
}

function folderBusy(path: string, holder: LockHolder | undefined): RuntimeFailure {
  const where = holder === undefined || holder.host === hostname() ? "" : ` on ${holder.host}`;
  const pull = holder === undefined ? "another pull" : `another pull (process ${holder.pid}${where})`;
  return new RuntimeFailure(
    "FOLDER_BUSY",
    `${pull} works in this folder\n  hint  if there is none any more: rm ${path}`,
    { path, pid: holder?.pid, host: holder?.host },
  );
}
