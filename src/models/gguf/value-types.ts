/** The thirteen value types of GGUF metadata, by number: the GGUF specification, `enum gguf_metadata_value_type`. */
export const valueTypes = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "string",
  "array",
  "u64",
  "i64",
  "f64",
] as const;

export type ValueType = (typeof valueTypes)[number];

/** Bytes of one value; for strings and arrays the fewest that one can take (a string's length; an array's type and length). */
export const valueBytes: Record<ValueType, number> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  string: 8,
  array: 12,
  u64: 8,
  i64: 8,
  f64: 8,
};
