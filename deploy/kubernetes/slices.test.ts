import { describe, expect, test } from "@jest/globals";
import { chipsOf } from "../../chips/index.ts";
import { parseTopology } from "../../compiler/index.ts";
import { hostsOf } from "./hosts.ts";
import { offeredShapes, sliceOf } from "./slices.ts";

const slice = (spec: string) => sliceOf(parseTopology(`tpu:${spec}`));

describe("slices", () => {
  // Google's tables: Cloud TPU's pages on each generation and GKE's "Plan TPUs".
  test.each([
    ["v3:2x2", 1, 4, "tpu-v3-device", "ct3-hightpu-4t"],
    ["v3:4x4", 4, 4, "tpu-v3-slice", "ct3p-hightpu-4t"],
    ["v3:32x32", 256, 4, "tpu-v3-slice", "ct3p-hightpu-4t"],
    ["v4:2x2x1", 1, 4, "tpu-v4-podslice", "ct4p-hightpu-4t"],
    ["v4:2x2x2", 2, 4, "tpu-v4-podslice", "ct4p-hightpu-4t"],
    ["v4:2x2x4", 4, 4, "tpu-v4-podslice", "ct4p-hightpu-4t"],
    ["v4:4x4x4", 16, 4, "tpu-v4-podslice", "ct4p-hightpu-4t"],
    ["v4:12x12x24", 864, 4, "tpu-v4-podslice", "ct4p-hightpu-4t"],
    ["v4:16x16x16", 1024, 4, "tpu-v4-podslice", "ct4p-hightpu-4t"],
    ["v5e:1x1", 1, 1, "tpu-v5-lite-podslice", "ct5lp-hightpu-1t"],
    ["v5e:2x2", 1, 4, "tpu-v5-lite-podslice", "ct5lp-hightpu-4t"],
    ["v5e:2x4", 1, 8, "tpu-v5-lite-podslice", "ct5lp-hightpu-8t"],
    ["v5e:4x4", 4, 4, "tpu-v5-lite-podslice", "ct5lp-hightpu-4t"],
    ["v5e:16x16", 64, 4, "tpu-v5-lite-podslice", "ct5lp-hightpu-4t"],
    ["v5p:2x2x1", 1, 4, "tpu-v5p-slice", "ct5p-hightpu-4t"],
    ["v5p:2x4x4", 8, 4, "tpu-v5p-slice", "ct5p-hightpu-4t"],
    ["v5p:16x16x24", 1536, 4, "tpu-v5p-slice", "ct5p-hightpu-4t"],
    ["v6e:1x1", 1, 1, "tpu-v6e-slice", "ct6e-standard-1t"],
    ["v6e:2x4", 1, 8, "tpu-v6e-slice", "ct6e-standard-8t"],
    ["v6e:4x4", 4, 4, "tpu-v6e-slice", "ct6e-standard-4t"],
    ["v6e:8x16", 32, 4, "tpu-v6e-slice", "ct6e-standard-4t"],
  ])("%s is %i hosts of %i chips", (spec, hosts, chipsPerHost, accelerator, machineType) => {
    const topology = spec.split(":")[1];
    expect(slice(spec)).toEqual({ hosts, chipsPerHost, accelerator, machineType, topology });
  });

  test("every slice that is offered has as many chips as its hosts have together", () => {
    for (const { name: chip } of chipsOf("tpu")) {
      expect(offeredShapes(chip).length).toBeGreaterThanOrEqual(8);
      for (const shape of offeredShapes(chip)) {
        const { hosts, chipsPerHost } = slice(`${chip}:${shape.join("x")}`);
        expect(hosts * chipsPerHost).toBe(shape.reduce((all, side) => all * side, 1));
      }
    }
  });

  test("slices of whole cubes are offered up to the largest that a pod has, sides in ascending order", () => {
    const v4 = offeredShapes("v4").map((shape) => shape.join("x"));
    const v5p = offeredShapes("v5p").map((shape) => shape.join("x"));
    expect(v4).toContain("4x4x8");
    expect(v4).not.toContain("8x4x4");
    expect(v4.at(-1)).toBe("16x16x16");
    expect(v5p).toContain("16x16x24");
    expect(new Set(v5p).size).toBe(v5p.length);
  });

  test.each([
    // More chips are nearer than fewer, so that what fitted fits.
    ["v4:2x2x3", "v4:2x2x4"],
    // The same chips in an order that GKE doesn't name.
    ["v4:2x1x2", "v4:2x2x1"],
    ["v4:8x4x4", "v4:4x4x8"],
    ["v5e:4x2", "v5e:2x4"],
    ["v6e:16x32", "v6e:16x16"],
    ["v5p:1x1x1", "v5p:2x2x1"],
    ["v3:2x4", "v3:4x4"],
  ])("for %s, which is not offered, %s is proposed", (asked, nearest) => {
    expect(() => slice(asked)).toThrow(`the nearest is tpu:${nearest}:`);
  });

  test("the refusal names what was asked for, the nearest, and what there is", () => {
    expect(() => slice("v4:2x2x3")).toThrowErrorMatchingInlineSnapshot(`
"GKE offers no slice tpu:v4:2x2x3; the nearest is tpu:v4:2x2x4: 16 chips on 4 hosts of 4
  offered  2x2x1, 2x2x2, 2x2x4, 2x4x4, 4x4x4, 4x4x8, 4x4x12, 4x4x16, …"
`);
  });
});

describe("GPUs", () => {
  test("a host has them all, by GKE's label or by NVIDIA's", () => {
    const { count, chipsPerHost, resource, nodeSelector, affinity } = hostsOf(parseTopology("cuda:h100:8"));
    expect({ count, chipsPerHost, resource, nodeSelector }).toEqual({
      count: 1,
      chipsPerHost: 8,
      resource: "nvidia.com/gpu",
      nodeSelector: undefined,
    });
    const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    expect(terms?.map(({ matchExpressions }) => matchExpressions?.map(({ key }) => key))).toEqual([
      ["cloud.google.com/gke-accelerator"],
      ["nvidia.com/gpu.product"],
    ]);
  });

  test("more than a host has are refused with the most that it has", () => {
    expect(() => hostsOf(parseTopology("cuda:h100:16"))).toThrowErrorMatchingInlineSnapshot(`
"no host has 16 GPUs 'h100'; the nearest is cuda:h100:8
  offered  1, 2, 4, 8, all in one host"
`);
    expect(() => hostsOf(parseTopology("cuda:a100:3"))).toThrow("the nearest is cuda:a100:4");
  });
});
