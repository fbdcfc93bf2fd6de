/**
 * Turns worker.proto into TypeScript: `proto/generated/worker.ts`, types and codecs in one small file.
 *
 * Why not pbjs and pbts: their types say `number | Long` and `undefined | null` for every field, they cost 7 s at each
 * set-up and 1.1 MB. Here a 64-bit integer is a number that was checked to be exact, a field is there unless the
 * contract lets it be absent, `bytes` is a view into the message that arrived, and it takes a tenth of a second.
 * Reading and writing the wire format itself is protobufjs's.
 *
 * Not here: Python's stubs, which grpc_tools makes (./setup.mjs).
 */
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

/** Messages that repeat what a file's header says: integers too large for a number come as the nearest one. */
const inexact = new Set(["MetadataValue", "IntArray"]);

const wide = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);
const wireTypes = { string: 2, bytes: 2, double: 1, fixed64: 1, sfixed64: 1, float: 5, fixed32: 5, sfixed32: 5 };
const zeros = { string: '""', bytes: "empty", bool: "false" };

/** The TypeScript text for a proto file. */
export function generateProtocol(protoPath) {
  const { root, package: packageName } = protobuf.parse(readFileSync(protoPath, "utf8"), {
    alternateCommentMode: true,
  });
  root.resolveAll();
  const out = [];
  const emit = (...lines) => out.push(...lines);
  emit("// Made from worker.proto by scripts/generate-protocol.mjs. Do not edit.");
  emit(
    'import type { Buffer as Bytes } from "node:buffer";',
    'import protobuf from "protobufjs/minimal.js";',
    "",
    preamble,
  );
  for (const thing of root.lookup(packageName).nestedArray) {
    if (thing instanceof protobuf.Enum) emit(enumText(thing));
    else if (thing instanceof protobuf.Type) emit(messageText(thing));
    else if (thing instanceof protobuf.Service) emit(serviceText(thing, packageName));
  }
  return `${out.join("\n")}\n`;
}

const preamble = `type Reader = protobuf.Reader;
type Writer = protobuf.Writer;
const { Reader, Writer } = protobuf;
const empty = new Uint8Array(0);

/** A message's two directions. */
export interface Codec<T> {
  readonly encode: (message: T, writer: Writer) => Writer;
  readonly decode: (reader: Reader, end: number) => T;
}

/** Serialises a message. */
export const toBytes = <T>(codec: Codec<T>, message: T): Bytes => codec.encode(message, Writer.create()).finish() as Bytes;

/** Reads a message. Its \`bytes\` fields are views into \`data\`. */
export const fromBytes = <T>(codec: Codec<T>, data: Uint8Array): T => codec.decode(Reader.create(data), data.length);

function integer(reader: Reader, signed: boolean): number {
  let value = 0;
  let scale = 1;
  let at = reader.pos;
  for (let i = 0; i < 7 && at < reader.len; i++) {
    const byte = reader.buf[at++]!;
    value += (byte & 127) * scale;
    if (byte < 128) {
      reader.pos = at;
      return value;
    }
    scale *= 128;
  }
  return Number((signed ? reader.int64() : reader.uint64()).toString());
}

function exact(value: number, field: string): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(\`\${field} holds \${value}, which a number cannot hold exactly\`);
  return value;
}

function nested<T>(reader: Reader, codec: Codec<T>): T {
  const size = reader.uint32();
  if (size > reader.len - reader.pos) throw new RangeError("a nested message is longer than what holds it");
  return codec.decode(reader, reader.pos + size);
}

function write<T>(writer: Writer, tag: number, codec: Codec<T>, value: T): void {
  codec.encode(value, writer.uint32(tag).fork()).ldelim();
}
`;

const doc = (comment, indent = "") =>
  comment ? `${indent}/** ${comment.trim().replaceAll(/\s*\n\s*/g, `\n${indent} * `)} */\n` : "";

const shout = (name) => name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();

function enumText(type) {
  const prefix = `${shout(type.name)}_`;
  const members = Object.entries(type.values).map(
    ([name, number]) => `${doc(type.comments[name], "  ")}  ${name.replace(prefix, "")}: ${number},`,
  );
  return `${doc(type.comment)}export const ${type.name} = {\n${members.join("\n")}\n} as const;\n`;
}

const tsType = (field) => {
  if (field.resolvedType instanceof protobuf.Type) return field.resolvedType.name;
  if (field.type === "string") return "string";
  if (field.type === "bool") return "boolean";
  return field.type === "bytes" ? "Uint8Array" : "number";
};

const isMessage = (field) => field.resolvedType instanceof protobuf.Type;
const scalar = (field) => (field.resolvedType instanceof protobuf.Enum ? "int32" : field.type);
const isPacked = (field) => field.repeated && !isMessage(field) && !["string", "bytes"].includes(scalar(field));
const mayBeAbsent = (field) => !field.repeated && !field.map && (field.partOf || isMessage(field));

function memberText(field) {
  const type = field.map
    ? `Record<string, ${tsType(field)}>`
    : field.repeated
      ? `readonly ${tsType(field)}[]`
      : tsType(field);
  return `${doc(field.comment, "  ")}  ${field.name}${mayBeAbsent(field) ? "?: " : ": "}${type}${mayBeAbsent(field) ? " | undefined" : ""};`;
}

function readText(type, field) {
  if (isMessage(field)) return `nested(reader, ${field.resolvedType.name})`;
  if (!wide.has(field.type)) return `reader.${scalar(field)}()`;
  const read = `integer(reader, ${field.type === "int64"})`;
  return inexact.has(type.name) ? read : `exact(${read}, "${type.name}.${field.name}")`;
}

function decodeCase(type, field) {
  const lines = [`        case ${field.id}:`];
  if (field.map) {
    const entry = readText(type, field);
    lines.push(
      "          {",
      "            const stop = reader.uint32() + reader.pos;",
      '            let key = "";',
      `            let value: ${tsType(field)} | undefined;`,
      "            while (reader.pos < stop) {",
      "              const part = reader.uint32();",
      "              if (part >>> 3 === 1) key = reader.string();",
      `              else if (part >>> 3 === 2) value = ${entry};`,
      "              else reader.skipType(part & 7);",
      "            }",
      `            if (value !== undefined) message.${field.name}[key] = value;`,
      "          }",
    );
  } else if (isPacked(field)) {
    const read = readText(type, field);
    lines.push(
      `          if ((tag & 7) === 2) for (const stop = reader.uint32() + reader.pos; reader.pos < stop; ) message.${field.name}.push(${read});`,
      `          else message.${field.name}.push(${read});`,
    );
  } else if (field.repeated) lines.push(`          message.${field.name}.push(${readText(type, field)});`);
  else lines.push(`          message.${field.name} = ${readText(type, field)};`);
  return [...lines, "          break;"].join("\n");
}

function encodeLine(field) {
  const name = `message.${field.name}`;
  const tag = (wireType) => ((field.id << 3) | wireType) >>> 0;
  if (field.map) {
    const value = isMessage(field)
      ? `write(entry, 18, ${field.resolvedType.name}, value);`
      : `entry.uint32(${(2 << 3) | (wireTypes[scalar(field)] ?? 0)}).${scalar(field)}(value);`;
    return `    for (const [key, value] of Object.entries(${name})) {\n      const entry = writer.uint32(${tag(2)}).fork();\n      entry.uint32(10).string(key);\n      ${value}\n      entry.ldelim();\n    }`;
  }
  if (isMessage(field)) {
    const call = (value) => `write(writer, ${tag(2)}, ${field.resolvedType.name}, ${value});`;
    return field.repeated
      ? `    for (const item of ${name}) ${call("item")}`
      : `    if (${name} !== undefined) ${call(name)}`;
  }
  const kind = scalar(field);
  if (isPacked(field)) {
    return `    if (${name}.length > 0) {\n      writer.uint32(${tag(2)}).fork();\n      for (const item of ${name}) writer.${kind}(item);\n      writer.ldelim();\n    }`;
  }
  const put = (value) => `writer.uint32(${tag(wireTypes[kind] ?? 0)}).${kind}(${value});`;
  if (field.repeated) return `    for (const item of ${name}) ${put("item")}`;
  if (field.partOf) return `    if (${name} !== undefined) ${put(name)}`;
  const present =
    kind === "bytes" || kind === "string" ? `${name}.length > 0` : kind === "bool" ? name : `${name} !== 0`;
  return `    if (${present}) ${put(name)}`;
}

function messageText(type) {
  const fields = type.fieldsArray;
  const members = fields.map((field) => memberText(field)).join("\n");
  const starts = fields
    .filter((field) => !mayBeAbsent(field))
    .map((field) => {
      if (field.map) return `${field.name}: Object.create(null) as Record<string, ${tsType(field)}>`;
      if (field.repeated) return `${field.name}: [] as ${tsType(field)}[]`;
      return `${field.name}: ${zeros[scalar(field)] ?? "0"} as ${tsType(field)}`;
    });
  const optional = fields.filter(mayBeAbsent).map((field) => `${field.name}?: ${tsType(field)} | undefined`);
  const annotation =
    optional.length > 0
      ? ` as { ${[...fields.filter((f) => !mayBeAbsent(f)).map(startType), ...optional].join("; ")} }`
      : "";
  const body =
    fields.length > 0
      ? `      switch (tag >>> 3) {\n${fields.map((field) => decodeCase(type, field)).join("\n")}\n        default:\n          reader.skipType(tag & 7);\n      }`
      : "      reader.skipType(tag & 7);";
  return `${doc(type.comment)}export interface ${type.name} {
${members}
}

export const ${type.name}: Codec<${type.name}> = {
  encode(${fields.length > 0 ? "message" : "_message"}, writer) {
${fields.map(encodeLine).join("\n")}
    return writer;
  },
  decode(reader, end) {
    const message = { ${starts.join(", ")} }${annotation};
    while (reader.pos < end) {
      const tag = reader.uint32();
${body}
    }
    return message;
  },
};
`;
}

const startType = (field) =>
  field.map
    ? `${field.name}: Record<string, ${tsType(field)}>`
    : `${field.name}: ${tsType(field)}${field.repeated ? "[]" : ""}`;

function serviceText(service, packageName) {
  const methods = service.methodsArray.map((method) => {
    const { requestType, responseType } = method;
    return `${doc(method.comment, "  ")}  ${method.name[0].toLowerCase()}${method.name.slice(1)}: {
    path: "/${packageName}.${service.name}/${method.name}",
    requestStream: ${Boolean(method.requestStream)},
    responseStream: ${Boolean(method.responseStream)},
    serialize: (message: ${requestType}): Bytes => toBytes(${requestType}, message),
    deserialize: (data: Bytes): ${responseType} => fromBytes(${responseType}, data),
  },`;
  });
  return `${doc(service.comment)}export const ${service.name} = {\n${methods.join("\n")}\n} as const;\n`;
}
