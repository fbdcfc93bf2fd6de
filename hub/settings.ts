/**
 * Where the hub is and who asks, from the environment, as huggingface_hub reads it.
 *
 * Source: huggingface_hub 2.4.0, constants.py and utils/_auth.py. Of proxies: the variables that curl and Python read.
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../dsl/index.ts";

// Public API

export interface HubSettings {
  readonly endpoint: URL;
  /** Absent for what everybody may fetch. */
  readonly token: HubToken | undefined;
  /** Of requests over http, over https, and the hosts that need none. */
  readonly proxies: {
    readonly http: string | undefined;
    readonly https: string | undefined;
    readonly none: string | undefined;
  };
}

export interface HubToken {
  readonly secret: string;
  /** The variable or the file that it is from; errors name it. */
  readonly from: string;
}

/**
 * Reads HF_ENDPOINT; HF_TOKEN, HUGGING_FACE_HUB_TOKEN, or the file that `hf auth login` wrote (HF_TOKEN_PATH, else
 * `token` in HF_HOME, else in `huggingface` in XDG_CACHE_HOME or ~/.cache).
 *
 * @throws InputError under HF_HUB_OFFLINE, and when the endpoint is no address
 */
export async function settingsFrom(env: NodeJS.ProcessEnv): Promise<HubSettings> {
  for (const name of ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]) {
    if (isTrue(env[name])) throw new InputError("OFFLINE", `${name} is set, so nothing is fetched`, { variable: name });
  }
  return {
    endpoint: parseEndpoint(env.HF_ENDPOINT || defaultEndpoint),
    token: await findToken(env),
    proxies: {
      http: proxy(env, "http_proxy"),
      https: proxy(env, "https_proxy"),
      none: env.no_proxy ?? env.NO_PROXY,
    },
  };
}

/** @throws InputError when it is no http or https address */
export function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "") return url;
  throw new InputError("ENDPOINT", `HF_ENDPOINT is '${text}'; wanted an address such as ${defaultEndpoint}`, {
    endpoint: text,
  });
}

// Implementation

const defaultEndpoint = "https://huggingface.co";

async function findToken(env: NodeJS.ProcessEnv): Promise<HubToken | undefined> {
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]) {
    const secret = cleaned(env[name]);
    if (secret !== undefined) return { secret: checked(secret, name), from: name };
  }
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join("~", ".cache"), "huggingface");
  const path = expanded(env.HF_TOKEN_PATH || join(home, "token"), env);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw new InputError(
      "TOKEN",
      `the token in ${path} cannot be read: ${(cause as Error).message}`,
      { path },
      { cause },
    );
  }
  const secret = cleaned(text);
  return secret === undefined ? undefined : { secret: checked(secret, path), from: path };
}

/** The lower-case name counts first, as curl has it. @throws InputError when it is no address */
function proxy(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const text = env[name] ?? env[name.toUpperCase()];
  if (!text) return undefined;
  const address = /^\w+:\/\//.test(text) ? text : `http://${text}`;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  throw new InputError("PROXY", `${name.toUpperCase()} is no address of an http or https proxy`, { variable: name });
}

function cleaned(text: string | undefined): string | undefined {
  return text?.replaceAll(/[\r\n]/g, "").trim() || undefined;
}

/** A header cannot carry everything; the secret itself is never shown. */
function checked(secret: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new InputError("TOKEN", `the token in ${from} has characters that no token has`, { from });
}

function expanded(path: string, env: NodeJS.ProcessEnv): string {
  return path
    .replace(/^~(?=\/|$)/, env.HOME || homedir())
    .replaceAll(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (whole, braced?: string, plain?: string) => env[braced ?? plain ?? ""] ?? whole,
    );
}

function isTrue(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes((value ?? "").toUpperCase());
}
