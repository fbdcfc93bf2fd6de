/** What the hub's refusals mean, as sentences: the same status stands for several things. */
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { type Answer, type HubClient, requirePresent } from "./client.ts";
import { pageUrl, type Repository } from "./repository.ts";

// Public API

/**
 * Throws for any status that is no success.
 *
 * A repository that does not exist and one that is private get the same answer from the hub, and must get the same
 * sentence here. `X-Error-Code` and `X-Error-Message` are the hub's (huggingface_hub, utils/_http.py).
 *
 * @param file  the file that was asked for, if it was one
 */
export function requireSuccess(answer: Answer, client: HubClient, repository: Repository, file?: string): void {
  const { status, headers, url } = answer;
  if (status >= 200 && status < 300) return;
  requirePresent(answer);
  const { id, revision } = repository;
  const { token, endpoint } = client;
  const code = headers["x-error-code"];
  const message = headers["x-error-message"];
  const page = pageUrl(endpoint, repository).href;
  const fields = { repository: id, revision, status, file, code };
  const refuse = (kind: string, sentence: string, hint?: string): never => {
    throw new InputError(kind, hint === undefined ? sentence : `${sentence}\n  hint  ${hint}`, fields);
  };
  if (code === "GatedRepo") {
    refuse(
      "GATED",
      `${id} is gated: it is given to those who accepted its terms${token === undefined ? "" : `, and the token from ${token.from} is of nobody who did`}`,
      `accept them at ${page}${token === undefined ? ", then set HF_TOKEN to a token of that account" : ""}`,
    );
  }
  if (message === "Access to this resource is disabled.") refuse("DISABLED", `${id} is disabled at ${endpoint.host}`);
  if (code === "RevisionNotFound")
    refuse("REVISION", `${id} has no revision '${revision}'`, `they are listed at ${page}`);
  if (code === "EntryNotFound") refuse("FILE", `${id} has no file ${file ?? ""} at '${revision}'`);
  if (url.origin !== endpoint.origin) {
    throw new RuntimeFailure("STORAGE", `${url.host} answers ${status} for ${file ?? id}`, fields);
  }
  if (status === 401 && token !== undefined && code !== "RepoNotFound") {
    refuse(
      "TOKEN",
      `${endpoint.host} does not accept the token from ${token.from}`,
      `make another at ${endpoint.origin}/settings/tokens`,
    );
  }
  if (code === "RepoNotFound" || status === 401 || (status === 404 && file === undefined)) {
    refuse(
      "REPOSITORY",
      `${endpoint.host} shows ${token === undefined ? "nobody without a token" : `the token from ${token.from}`} a repository ${id}: there is none, or it is private`,
      token === undefined
        ? "check the name; for a private one set HF_TOKEN"
        : "check the name, and what the token may read",
    );
  }
  if (status === 403)
    refuse("FORBIDDEN", `${endpoint.host} forbids ${file ?? id}${message === undefined ? "" : `: ${message}`}`);
  if (status === 404) refuse("FILE", `${id} has no file ${file} at '${revision}'`);
  throw new RuntimeFailure(
    "ANSWER",
    `${url.host} answers ${status}${message === undefined ? "" : ` (${message})`} for ${file ?? id}`,
    fields,
  );
}
