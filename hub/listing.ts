/** The files of a repository at one commit. */
import { z } from "zod";
import { RuntimeFailure } from "../dsl/index.ts";
import type { HubClient } from "./client.ts";
import type { ContentHash } from "./content-hash.ts";
import { requireSuccess } from "./refusal.ts";
import { infoUrl, type Repository, treeUrl } from "./repository.ts";

// Public API

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  readonly hash: ContentHash;
}

export interface Listing {
  /** What the revision was when it was asked for: everything is fetched at this commit. */
  readonly commit: string;
  /** By path, in order. */
  readonly files: readonly HubFile[];
}

/**
 * Asks what a revision is, and lists its files.
 *
 * @throws InputError when there is no such repository or revision, or no access
 */
export async function listRepository(client: HubClient, repository: Repository): Promise<Listing> {
  const { id } = repository;
  const commit = await client.text(id, infoUrl(client.endpoint, repository), (answer, text) => {
    requireSuccess(answer, client, repository);
    return parse(info, text, id, answer.url).sha;
  });
  const files: HubFile[] = [];
  const seen = new Set<string>();
  for (let page: URL | undefined = treeUrl(client.endpoint, repository, commit); page !== undefined; ) {
    if (seen.has(page.href))
      throw new RuntimeFailure("ANSWER", `the pages of ${id}'s list lead in a circle`, { repository: id });
    seen.add(page.href);
    page = await client.text(id, page, (answer, text) => {
      requireSuccess(answer, client, repository);
      files.push(...parse(tree, text, id, answer.url).flatMap(fileOf));
      return nextPage(answer.headers.link, answer.url);
    });
  }
  requireApart(files, id);
  return { commit, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

// Implementation

const sha1 = z.string().regex(/^[0-9a-f]{40}$/);
const sha256 = z.string().regex(/^(?:sha256:)?[0-9a-f]{64}$/);
const size = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const info = z.object({ sha: sha1 });
const entry = z.object({
  type: z.string(),
  path: z.string().min(1),
  size: size.optional(),
  oid: z.string().optional(),
  lfs: z.object({ oid: sha256, size }).nullish(),
});
type Entry = z.infer<typeof entry>;
const file = z.object({ size, oid: sha1 });
const tree = z.array(
  entry.refine(
    (each) => each.type !== "file" || each.lfs != null || file.safeParse(each).success,
    "has no size and hash",
  ),
);

function parse<T>(schema: z.ZodType<T>, text: string, id: string, url: URL): T {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new RuntimeFailure(
      "ANSWER",
      `${url.host} describes ${id} in words that are not known: ${reason}`,
      { url: url.href },
      { cause },
    );
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse(`no JSON, but ${JSON.stringify(text.slice(0, 40))}`, cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  return refuse(
    result.error.issues
      .map(({ path, message }) => `${path.join(".") || "all"}: ${message}`)
      .slice(0, 3)
      .join("; "),
  );
}

function fileOf({ type, path, size: own, oid, lfs }: Entry): HubFile[] {
  if (type !== "file") return [];
  return lfs == null
    ? [{ path, size: own as number, hash: { algorithm: "git-sha1", digest: oid as string } }]
    : [{ path, size: lfs.size, hash: { algorithm: "sha256", digest: lfs.oid.replace("sha256:", "") } }];
}

/** `Link: <ADDRESS>; rel="next"` (RFC 8288). */
function nextPage(link: string | undefined, from: URL): URL | undefined {
  const [, address] = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "") ?? [];
  return address === undefined ? undefined : new URL(address, from);
}

/** A path may stand there once, and not be a folder of another. */
function requireApart(files: readonly HubFile[], id: string): void {
  const paths = new Set<string>();
  for (const { path } of files) {
    if (paths.has(path)) throw new RuntimeFailure("ANSWER", `${id} lists ${path} twice`, { repository: id, path });
    paths.add(path);
  }
  for (const path of paths) {
    const parts = path.split("/");
    const above = parts.map((_, n) => parts.slice(0, n).join("/")).find((folder) => paths.has(folder));
    if (above !== undefined)
      throw new RuntimeFailure("ANSWER", `${id} lists ${above} as a file and as a folder`, { path });
  }
}
