/** A whole GGUF file in memory. */
import { GgufError, type GgufHeader, readHeader } from "./header.ts";
import { fromHalf } from "./half.ts";

export interface GgufFile extends GgufHeader {
  readonly bytes: Uint8Array;
}

/** @throws GgufError that says what is wrong and where; never allocates more than a small multiple of the file. */
export function readGguf(bytes: Uint8Array): GgufFile {
  return { ...readHeader(bytes), bytes };
}

/** The numbers of a tensor. F32 and F16 alone: unpacking quantised weights is left to llama.cpp. */
export function tensor(file: GgufFile, name: string): Float32Array {
  const info = file.tensors.get(name);
  if (!info) throw new GgufError(`Tensor '${name}' is missing`);
  const { bytes } = file;
  const view = new DataView(bytes.buffer, bytes.byteOffset + info.offset, info.byteLength);
  switch (info.type) {
    case "F32": {
      const numbers = new Float32Array(info.count);
      for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat32(4 * i, true);
      return numbers;
    }
    case "F16": {
      const numbers = new Float32Array(info.count);
      for (let i = 0; i < numbers.length; i++) numbers[i] = fromHalf(view.getUint16(2 * i, true));
      return numbers;
    }
    default:
      throw new GgufError(
        `Cannot read tensor '${name}' as its type must be F32 or F16: it is ${info.type}`,
        info.offset,
      );
  }
}
