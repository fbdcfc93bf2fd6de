/**
 * Held against huggingface_hub 2.4.0 by hand, with the same variables, and the same but that it fails at `~/alone/token`:
 * `python -c "from huggingface_hub import get_token; print(get_token())"`.
 */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { temporaryFolder } from "../tests/support/cli.ts";
import { settingsFrom } from "./settings.ts";

/** A home with a token in each place that is looked at, and the variables that lead there. */
async function home() {
  const folder = await temporaryFolder();
  for (const [place, text] of [
    [".cache/huggingface", "hf_in_home\n"],
    ["xdg/huggingface", "hf_in_xdg"],
    ["hf", "  hf_in_hf_home\r\n"],
  ] as const) {
    await mkdir(join(folder, place), { recursive: true });
    await writeFile(join(folder, place, "token"), text);
  }
  await writeFile(join(folder, "alone"), "hf_alone");
  await writeFile(join(folder, "empty"), "\n");
  return folder;
}

describe("the token", () => {
  test.each<[string, NodeJS.ProcessEnv]>([
    ["hf_in_home", {}],
    ["hf_in_xdg", { XDG_CACHE_HOME: "$HOME/xdg" }],
    ["hf_in_hf_home", { XDG_CACHE_HOME: "~/xdg", HF_HOME: "~/hf" }],
    ["hf_alone", { HF_HOME: "~/hf", HF_TOKEN_PATH: ["$", "{HOME}/alone"].join("") }],
    ["hf_old", { HUGGING_FACE_HUB_TOKEN: "hf_old", HF_HOME: "~/hf" }],
    ["hf_new", { HF_TOKEN: " hf_new\n", HUGGING_FACE_HUB_TOKEN: "hf_old" }],
    ["hf_in_home", { HF_TOKEN: "" }],
  ])("is %s with %j", async (wanted, env) => {
    expect((await settingsFrom({ HOME: await home(), ...env })).token?.secret).toBe(wanted);
  });

  test.each<[NodeJS.ProcessEnv]>([
    [{ HF_TOKEN_PATH: "~/nowhere" }],
    [{ HF_TOKEN_PATH: "~/alone/token" }],
    [{ HF_TOKEN_PATH: "~/empty" }],
    [{ HF_TOKEN: "hf_new", HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }],
  ])("is none with %j", async (env) => {
    expect((await settingsFrom({ HOME: await home(), ...env })).token).toBeUndefined();
  });

  test("that no header can carry is refused, and not shown", async () => {
    const refusal = await settingsFrom({ HF_TOKEN: "hf_secret value" }).catch((error: Error) => error.message);
    expect(refusal).toBe("the token in HF_TOKEN has characters that no token has");
  });

  test("that may not be read is an error", async () => {
    const folder = await home();
    await mkdir(join(folder, "folder"));
    await chmod(join(folder, "alone"), 0o600);
    const env = { HOME: folder, HF_TOKEN_PATH: "~/folder" };
    await expect(settingsFrom(env)).rejects.toThrow(`the token in ${folder}/folder cannot be read: EISDIR`);
  });
});

describe("the endpoint", () => {
  const none = { HF_TOKEN: "t" };

  test("is Hugging Face's, or HF_ENDPOINT", async () => {
    expect((await settingsFrom(none)).endpoint.href).toBe("https://huggingface.co/");
    expect((await settingsFrom({ ...none, HF_ENDPOINT: "https://mirror.example/hf/" })).endpoint.pathname).toBe("/hf/");
  });

  test.each(["huggingface.co", "ftp://mirror.example", "https://a.example/?x"])("is not '%s'", async (text) => {
    await expect(settingsFrom({ ...none, HF_ENDPOINT: text })).rejects.toThrow(
      `HF_ENDPOINT is '${text}'; wanted an address such as https://huggingface.co`,
    );
  });

  test.each(["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])("is not asked under %s", async (name) => {
    await expect(settingsFrom({ ...none, [name]: "1" })).rejects.toThrow(`${name} is set, so nothing is fetched`);
  });
});

test("proxies are those of the variables, in either case", async () => {
  const env = { HF_TOKEN: "t", https_proxy: "proxy.example:3128", HTTPS_PROXY: "http://other", NO_PROXY: "localhost" };
  expect((await settingsFrom(env)).proxies).toEqual({
    http: undefined,
    https: "http://proxy.example:3128",
    none: "localhost",
  });
  await expect(settingsFrom({ HF_TOKEN: "t", HTTP_PROXY: "socks5://proxy" })).rejects.toThrow(
    "HTTP_PROXY is no address of an http or https proxy",
  );
});
