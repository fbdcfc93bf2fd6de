import { describe, expect, test } from "@jest/globals";
import { checkOptions, type ManifestOptions, parseWeightsSource } from "./options.ts";

const good: ManifestOptions = {
  name: "gpt-oss-20b",
  namespace: "default",
  image: "registry.example/team/tsxla-worker:1@sha256:0123",
  pullImage: "tsxla",
  replicas: 1,
  weights: { kind: "hub", repository: "openai/gpt-oss-20b" },
  root: "/models",
};

test("sources of weights are read in each form", () => {
  expect(parseWeightsSource("hub:openai/gpt-oss-20b")).toEqual({ kind: "hub", repository: "openai/gpt-oss-20b" });
  expect(parseWeightsSource("hub:a.b/C_d-1@refs/pr/2")).toEqual({
    kind: "hub",
    repository: "a.b/C_d-1",
    revision: "refs/pr/2",
  });
  expect(parseWeightsSource("claim:weights")).toEqual({ kind: "claim", name: "weights" });
  expect(parseWeightsSource("gs://bucket")).toEqual({ kind: "gcs", bucket: "bucket" });
  expect(parseWeightsSource("gs://bucket/models/gpt-oss/")).toEqual({
    kind: "gcs",
    bucket: "bucket",
    folder: "models/gpt-oss",
  });
});

test.each(["openai/gpt-oss-20b", "hub:gpt-oss-20b", "hub:-a/b c", "claim:", "gs://", "gs://b/a,uid=0", "s3://b"])(
  "'%s' is no source of weights",
  (text) => {
    expect(() => parseWeightsSource(text)).toThrow(
      "wanted hub:OWNER/NAME[@REVISION], claim:NAME or gs://BUCKET[/FOLDER]",
    );
  },
);

describe("what Kubernetes would refuse is refused here, by the option's name:", () => {
  test.each<[string, Partial<ManifestOptions>]>([
    ["name", { name: "20b" }],
    ["name", { name: "GPT" }],
    ["name", { name: "a".repeat(46) }],
    ["name", { name: "a-" }],
    ["namespace", { namespace: "a.b" }],
    ["image", { image: "" }],
    ["image", { image: "a b" }],
    ["pull-image", { pullImage: "" }],
    ["replicas", { replicas: 0 }],
    ["replicas", { replicas: 1.5 }],
    ["root", { root: "models" }],
    ["root", { root: "/" }],
    ["root", { root: "/models/../etc" }],
    ["root", { root: "/etc/tsxla" }],
    ["root", { root: "/etc/tsxla/token/x" }],
    ["root", { root: "/etc" }],
    ["root", { root: "/dev/shm" }],
    ["cache-claim", { cacheClaim: "A" }],
    ["service-account", { serviceAccount: "a_b" }],
    ["weights-from", { weights: { kind: "claim", name: "A" } }],
    ["weights-from", { weights: { kind: "gcs", bucket: "b" } }],
  ])("%s %j", (option, wrong) => {
    expect(() => checkOptions(good)).not.toThrow();
    expect(() => checkOptions({ ...good, ...wrong })).toThrow(`--${option} `);
  });

  test("and the error names the value and what is allowed", () => {
    expect(() => checkOptions({ ...good, name: "20b" })).toThrowErrorMatchingInlineSnapshot(
      `"--name is '20b'; wanted a lower-case letter, then letters, digits and '-', at most 45 in all"`,
    );
    expect(() => checkOptions({ ...good, root: "/dev/shm" })).toThrowErrorMatchingInlineSnapshot(
      `"--root is '/dev/shm'; wanted an absolute path of the container, apart from /etc/tsxla, /run, /cache, /dev, /proc, /sys"`,
    );
  });
});
