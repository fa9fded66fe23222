// A safetensors file whose tensors have other names, for checkpoints in several dialects.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Writes the file anew. @param starts how names begin, and how they shall begin */
export function renamedTensors(path: string, starts: readonly (readonly [now: string, then: string])[]): void {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const header: Record<string, unknown> = JSON.parse(file.toString('utf8', 8, 8 + length));
  const renamed = (name: string) => {
    const found = starts.find(([now]) => name.startsWith(now));
    return found ? found[1] + name.slice(found[0].length) : name;
  };
  const text = Buffer.from(
    JSON.stringify(Object.fromEntries(Object.entries(header).map(([name, value]) => [renamed(name), value]))),
  );
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  rmSync(path);
  writeFileSync(path, Buffer.concat([size, text, file.subarray(8 + length)]));
}
