/** Checks a GGUF file of any size before native code sees it: a broken one may end the whole process there. */
import { open } from "node:fs/promises";
import { GgufError, type GgufHeader, MoreBytes, readHeader } from "./header.ts";

/** What is read at first; the header of most models fits, vocabulary included. */
const firstBytes = 2 ** 20;
/** Longer headers are refused: the largest known ones, vocabularies of 262144 tokens with merges, take some 16 MiB. */
const maxHeaderBytes = 2 ** 28;

/** The header of the file, all extents compared with its size. Reads the header and nothing else. @throws GgufError */
export async function checkGguf(path: string): Promise<GgufHeader> {
  await using file = await open(path);
  const { size } = await file.stat();
  for (let wanted = firstBytes; ; ) {
    const bytes = new Uint8Array(Math.min(size, wanted));
    await readFully(file, bytes);
    try {
      return readHeader(bytes, size);
    } catch (thrown) {
      if (!(thrown instanceof MoreBytes)) throw thrown;
      if (thrown.wanted > maxHeaderBytes)
        throw new GgufError(`The header takes more than ${maxHeaderBytes} bytes`, bytes.length);
      wanted = Math.min(maxHeaderBytes, Math.max(thrown.wanted, 4 * bytes.length));
    }
  }
}

async function readFully(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, at);
    if (bytesRead === 0) throw new GgufError("The file shrank while it was read", at);
    at += bytesRead;
  }
}
