/** The generated codecs against protobufjs's own reading of the contract. */
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import protobuf from "protobufjs";
import * as wire from "../proto/generated/worker.ts";

const proto = protobuf.loadSync(fileURLToPath(new URL("../proto/tsxla/worker/v1/worker.proto", import.meta.url)));
const judge = (name: string): protobuf.Type => proto.lookupType(`tsxla.worker.v1.${name}`);

/** Our bytes, read by the judge, and the judge's bytes, read by us. */
function crossed<T extends object>(name: string, codec: wire.Codec<T>, message: T): { judged: unknown; ours: T } {
  const type = judge(name);
  const bytes = wire.toBytes(codec, message);
  const judged = type.toObject(type.decode(bytes), { longs: Number, defaults: false, bytes: Buffer });
  return { judged, ours: wire.fromBytes(codec, type.encode(type.fromObject(message)).finish()) };
}

test("every message of the contract has a codec that reads an empty message", () => {
  const names = proto.lookup("tsxla.worker.v1") as protobuf.Namespace;
  const types = names.nestedArray.filter((thing) => thing instanceof protobuf.Type);
  expect(types.length).toBeGreaterThan(30);
  for (const { name } of types) {
    const codec = (wire as unknown as Record<string, wire.Codec<object>>)[name];
    expect([name, codec && wire.toBytes(codec, wire.fromBytes(codec, new Uint8Array(0))).length]).toEqual([name, 0]);
  }
});

test("a step with tensors, a size of 2^40 and a 53-bit sequence goes both ways", () => {
  const step: wire.SessionRequest = {
    launch: 2 ** 40,
    step: {
      sequence: Number.MAX_SAFE_INTEGER,
      call: 65_535,
      inputs: [
        { type: { elementType: wire.ElementType.I32, shape: [1, 2 ** 40] }, data: Buffer.from([1, 2, 3]) },
        { type: { elementType: wire.ElementType.F4E2M1FN, shape: [] }, data: Buffer.from([]) },
      ],
      repeat: 3,
      fetch: [0, 300, 7],
    },
  };
  const { judged, ours } = crossed("SessionRequest", wire.SessionRequest, step);
  expect(ours).toEqual(step);
  expect(judged).toMatchObject({
    step: { sequence: Number.MAX_SAFE_INTEGER, call: 65_535, repeat: 3, fetch: [0, 300, 7] },
  });
});

test("members of a oneof and optional fields are sent also when they are zero", () => {
  const define: wire.SessionRequest = {
    launch: 0,
    define: {
      call: 0,
      executableId: "x",
      arguments: [{ slot: 0 }, { input: 0 }, { bufferId: "" }],
      results: [{ slot: 0 }, { slot: undefined }],
    },
  };
  const { judged, ours } = crossed("SessionRequest", wire.SessionRequest, define);
  expect(judged).toEqual({
    define: { executableId: "x", arguments: [{ slot: 0 }, { input: 0 }, { bufferId: "" }], results: [{ slot: 0 }, {}] },
  });
  expect(ours).toEqual(define);
});

test("a checkpoint's index goes both ways: maps, doubles, negative integers, names that are no names elsewhere", () => {
  const index: wire.OpenCheckpointResponse = {
    checkpointId: "c",
    container: "gguf",
    tensors: [
      {
        name: "é",
        type: { elementType: 5, shape: [18, 20] },
        format: "Q4_1",
        shape: [18, 32],
        bytes: 360,
        file: "",
        offset: 2 ** 40,
      },
    ],
    metadata: Object.fromEntries([
      ["a", { int: -1 }],
      ["b", { ints: { values: [-5, 0, 2 ** 52] } }],
      ["c", { floats: { values: [1.5, -0.25] } }],
      ["d", { strings: { values: ["", "Ġthe"] } }],
      ["e", { bool: false }],
      ["constructor", { float: 1e-5 }],
    ]),
    files: ["config.json"],
    directory: "/models",
    fingerprint: "f",
  };
  const { judged, ours } = crossed("OpenCheckpointResponse", wire.OpenCheckpointResponse, index);
  expect(ours).toEqual(index);
  expect(judged).toEqual(expect.objectContaining({ metadata: index.metadata, files: index.files }));
});

test("an integer that a number cannot hold is refused, but for a header's, which anybody may have written", () => {
  const field = (number: number, value: string) =>
    protobuf.Writer.create()
      .uint32(number << 3)
      .uint64(value)
      .finish();
  const bytes = field(3, "9007199254740993");
  expect(() => wire.fromBytes(wire.Device, bytes)).toThrow("Device.memoryBytes holds 9007199254740992");
  const header = field(2, "18446744073709551615");
  expect(wire.fromBytes(wire.MetadataValue, header).uint).toBe(2 ** 64);
});

test("fields that are unknown here are skipped, and bytes are a view into the message", () => {
  const unknown = protobuf.Writer.create()
    .uint32((99 << 3) | 2)
    .string("later")
    .finish();
  const bytes = Buffer.concat([wire.toBytes(wire.DownloadResponse, { data: Buffer.from("abc") }), unknown]);
  const { data } = wire.fromBytes(wire.DownloadResponse, bytes);
  expect(Buffer.from(data).toString()).toBe("abc");
  expect(data.buffer).toBe(bytes.buffer);
});

test.each([0, 1, 5, 20])("a message cut off after %i bytes is refused, or a shorter one", (length) => {
  const bytes = wire.toBytes(wire.CompileRequest, {
    module: "module {}".repeat(3),
    engine: 1,
    returnOptimizedHlo: true,
    argumentLayouts: [],
    keep: true,
    launch: 0,
  });
  if (length === 0) expect(wire.fromBytes(wire.CompileRequest, bytes.subarray(0, 0)).module).toBe("");
  else expect(() => wire.fromBytes(wire.CompileRequest, bytes.subarray(0, length))).toThrow(RangeError);
});
