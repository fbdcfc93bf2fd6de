/** What a repository is called, and where its parts are served. */
import { InputError } from "../dsl/index.ts";

// Public API

/** A model repository at a revision: a branch, a tag or a commit. */
export interface Repository {
  /** `owner/name`; a few old ones are `name` alone. */
  readonly id: string;
  readonly revision: string;
}

/** @throws InputError saying what a name looks like */
export function parseRepository(id: string, revision = "main"): Repository {
  const parts = id.split("/");
  if (parts.length > 2 || !parts.every(isName)) {
    const [, path] = /^https?:\/\/[^/]+\/([^/?#]+\/[^/?#]+)/.exec(id) ?? [];
    const hint = path === undefined ? "" : `\n  hint  ${path}`;
    throw new InputError("REPOSITORY", `'${id}' is no repository's name; wanted OWNER/NAME${hint}`, { repository: id });
  }
  if (revision === "" || /[\0-\x20\x7f~^:?*[\\]|\.\.|^\/|\/$|\/\//.test(revision)) {
    throw new InputError("REVISION", `'${revision}' is no revision; wanted a branch, a tag or a commit`, { revision });
  }
  return { id, revision };
}

/** Where the hub describes a repository at a revision. */
export function infoUrl(endpoint: URL, { id, revision }: Repository): URL {
  return below(endpoint, `api/models/${id}/revision/${encodeURIComponent(revision)}`);
}

/** Where it lists the files of a commit. */
export function treeUrl(endpoint: URL, { id }: Repository, commit: string): URL {
  return below(endpoint, `api/models/${id}/tree/${commit}?recursive=true`);
}

/** Where it serves a file of a commit. */
export function fileUrl(endpoint: URL, { id }: Repository, commit: string, path: string): URL {
  return below(endpoint, `${id}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`);
}

/** The page for people. */
export function pageUrl(endpoint: URL, { id }: Repository): URL {
  return below(endpoint, id);
}

// Implementation

/** As huggingface_hub's `validate_repo_id` has it. */
function isName(part: string): boolean {
  return /^[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?$/.test(part) && !/--|\.\./.test(part) && !part.endsWith(".git");
}

/** An endpoint may have a path of its own, as mirrors do. */
function below(endpoint: URL, path: string): URL {
  return new URL(`${endpoint.href.replace(/\/+$/, "")}/${path}`);
}
