// A synthetic model in several files, as llama-gguf-split writes them.
import { type GgufMetadata, GgufWriter, openGguf } from '@quern/gguf';
import { type SyntheticModel, writeSyntheticGguf } from './synthetic-gguf.ts';

/** @returns paths of the files `<prefix>-00001-of-0000N.gguf` …; tensors are dealt out in order */
export async function writeSplitGguf(prefix: string, model: SyntheticModel, count: number): Promise<string[]> {
  const whole = `${prefix}-whole.gguf`;
  await writeSyntheticGguf(whole, model);
  const gguf = await openGguf(whole);
  const tensors = [...gguf.tensors.values()];
  const each = Math.ceil(tensors.length / count);
  const five = (n: number) => String(n).padStart(5, '0');
  const paths: string[] = [];
  for (let no = 0; no < count; no++) {
    const part = tensors.slice(no * each, (no + 1) * each);
    const metadata: GgufMetadata = new Map(no === 0 ? gguf.metadata : []);
    metadata.set('split.no', { type: 'uint16', value: no });
    metadata.set('split.count', { type: 'uint16', value: count });
    metadata.set('split.tensors.count', { type: 'int32', value: tensors.length });
    const path = `${prefix}-${five(no + 1)}-of-${five(count)}.gguf`;
    const writer = await GgufWriter.create(path, { metadata, tensors: part });
    for (const { name, source, offset, byteLength } of part)
      await writer.write(name, await source.read(offset, byteLength));
    await writer.finish();
    paths.push(path);
  }
  await gguf.close();
  return paths;
}
