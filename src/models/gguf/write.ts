/**
 * Writes GGUF files, version 3, little-endian: the model files of llama.cpp.
 *
 *   "GGUF" · version · number of tensors · number of metadata entries
 *   metadata:  key, type, value                           (string = u64 length, UTF-8)
 *   tensors:   name, shape fastest dimension first, type, offset
 *   data:      each tensor at a multiple of 32 bytes
 *
 * GGUF specification: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { toHalf } from "./half.ts";
import { type ValueType, valueBytes, valueTypes } from "./value-types.ts";

type Scalar = string | number | bigint | boolean;

/** A value whose type is stated; plain numbers are written as u32, so that anything else has to be said. */
export interface Typed {
  readonly type: ValueType;
  /** Type of an array's items. */
  readonly items?: ValueType;
  readonly value: Scalar | readonly Scalar[];
}

export const f32 = (value: number): Typed => ({ type: "f32", value });
export const f64 = (value: number): Typed => ({ type: "f64", value });
export const i32 = (value: number): Typed => ({ type: "i32", value });
export const u64 = (value: number | bigint): Typed => ({ type: "u64", value });
/** An array of one type; needed for empty arrays and for items that are neither strings, booleans nor u32. */
export const array = (items: Exclude<ValueType, "array">, value: readonly Scalar[]): Typed => ({
  type: "array",
  items,
  value,
});

export type MetadataInput = Scalar | Typed | readonly string[] | readonly number[] | readonly boolean[];

export interface TensorInput {
  readonly name: string;
  /** Fastest dimension first: a matrix with rows of `in` numbers, `out` of them, is [in, out]. */
  readonly shape: readonly number[];
  readonly type: "F32" | "F16";
  /** The numbers in order; F16 rounds them to the nearest half. */
  readonly data: Float32Array;
}

/** Data is aligned to this, as everywhere: the specification's default of `general.alignment`. */
const alignment = 32;

export function writeGguf(file: {
  readonly metadata: Readonly<Record<string, MetadataInput>>;
  readonly tensors: readonly TensorInput[];
}): Uint8Array {
  const header = new Bytes();
  header.raw(new TextEncoder().encode("GGUF"));
  header.scalar("u32", 3);
  header.scalar("u64", file.tensors.length);
  header.scalar("u64", Object.keys(file.metadata).length);
  for (const [key, value] of Object.entries(file.metadata)) {
    header.scalar("string", key);
    header.typed(key, typedOf(key, value));
  }
  let dataBytes = 0;
  for (const { name, shape, type, data } of file.tensors) {
    const count = shape.reduce((product, n) => product * n, 1);
    if (count !== data.length || shape.length < 1 || shape.length > 4)
      throw new RangeError(
        `Cannot write tensor '${name}' as its shape must have 1 to 4 dimensions whose product is its ${data.length} ` +
          `numbers: current shape is [${shape.join(", ")}]`,
      );
    header.scalar("string", name);
    header.scalar("u32", shape.length);
    for (const n of shape) header.scalar("u64", n);
    header.scalar("u32", type === "F32" ? 0 : 1);
    header.scalar("u64", dataBytes);
    dataBytes += aligned(count * (type === "F32" ? 4 : 2));
  }
  const dataStart = aligned(header.length);
  const bytes = new Uint8Array(dataStart + dataBytes);
  bytes.set(header.written());
  let offset = dataStart;
  for (const { type, data } of file.tensors) {
    const view = new DataView(bytes.buffer, offset);
    if (type === "F32") for (let i = 0; i < data.length; i++) view.setFloat32(4 * i, data[i] as number, true);
    else for (let i = 0; i < data.length; i++) view.setUint16(2 * i, toHalf(data[i] as number), true);
    offset += aligned(data.length * (type === "F32" ? 4 : 2));
  }
  return bytes;
}

const aligned = (length: number): number => Math.ceil(length / alignment) * alignment;

function typedOf(key: string, value: MetadataInput): Typed {
  if (typeof value === "object" && !isArray(value)) return value;
  if (!isArray(value)) return { type: scalarType(key, value), value };
  const first = value[0];
  if (first === undefined)
    throw new TypeError(
      `Cannot write metadata '${key}' as the type of an empty array must be stated: use array("string", [])`,
    );
  return { type: "array", items: scalarType(key, first), value };
}

const isArray = (value: MetadataInput): value is readonly string[] | readonly number[] | readonly boolean[] =>
  Array.isArray(value);

function scalarType(key: string, value: Scalar): ValueType {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32) return "u32";
  throw new TypeError(
    `Cannot write metadata '${key}' as plain numbers must be integers in [0, 2^32), others need f32(), i32() or u64(): ` +
      `current value is ${value}`,
  );
}

/** Bytes that grow. */
class Bytes {
  length = 0;
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  raw(added: Uint8Array): void {
    const at = this.#grow(added.length);
    this.#bytes.set(added, at);
  }

  typed(key: string, { type, items, value }: Typed): void {
    this.scalar("u32", valueTypes.indexOf(type));
    if (type !== "array") return this.scalar(type, value as Scalar);
    const list = value as readonly Scalar[];
    if (items === undefined || items === "array")
      throw new TypeError(
        `Cannot write metadata '${key}' as the items of an array must have a scalar type: current type is ${items}`,
      );
    this.scalar("u32", valueTypes.indexOf(items));
    this.scalar("u64", list.length);
    for (const item of list) this.scalar(items, item);
  }

  scalar(type: ValueType, value: Scalar): void {
    if (type === "array") throw new TypeError("Cannot write an array as a scalar");
    if (type === "string") {
      const text = new TextEncoder().encode(String(value));
      this.scalar("u64", text.length);
      return this.raw(text);
    }
    const at = this.#grow(valueBytes[type]);
    switch (type) {
      case "u64":
        return this.#view.setBigUint64(at, BigInt(value), true);
      case "i64":
        return this.#view.setBigInt64(at, BigInt(value), true);
      case "u8":
      case "bool":
        return this.#view.setUint8(at, Number(value));
      case "i8":
        return this.#view.setInt8(at, Number(value));
      case "u16":
        return this.#view.setUint16(at, Number(value), true);
      case "i16":
        return this.#view.setInt16(at, Number(value), true);
      case "u32":
        return this.#view.setUint32(at, Number(value), true);
      case "i32":
        return this.#view.setInt32(at, Number(value), true);
      case "f32":
        return this.#view.setFloat32(at, Number(value), true);
      case "f64":
        return this.#view.setFloat64(at, Number(value), true);
      default:
        return type satisfies never;
    }
  }

  /** Makes room for `count` bytes and returns where they go. */
  #grow(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
