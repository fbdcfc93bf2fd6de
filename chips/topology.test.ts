import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import { parseTopology } from "./topology.ts";

describe("a topology", () => {
  test.each([
    ["tpu:v4:2x2x1", 4, 1],
    ["tpu:v4:4x4x4", 64, 1],
    ["tpu:v3:2x2", 8, 2],
    ["tpu:v5e:4x4", 16, 1],
    ["tpu:v6e:2x4", 8, 1],
    ["cuda:h100:4", 4, 1],
    ["cuda:a100:8", 8, 1],
  ])("%s has %i devices", (spec, devices, devicesPerChip) => {
    expect(parseTopology(spec)).toMatchObject({ devices, devicesPerChip });
  });

  test.each(["tpu:v4:2x2", "tpu:v9:2x2", "tpu:v4", "tpu:v4:0x2x2", "cuda:h100", "cuda:h100:x", "gpu"])(
    "'%s' is refused with a proposal",
    (spec) => {
      expect(refusalOf(() => parseTopology(spec))).toMatchSnapshot();
    },
  );
});
