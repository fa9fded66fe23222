// A run that is to be killed: `write-layers.ts <folder> <layers>` writes layer after layer and prints each when it is
// committed.
import { openHfWriter } from '../open-hf-writer.ts';
import { bytesOf, folderOf, packedLayers } from './made-tensors.ts';

const [dir = '', layers = '0'] = process.argv.slice(2);
const specs = packedLayers(Number(layers), 4096);
const writer = await openHfWriter(dir, folderOf(specs), { maxShardBytes: 1_000_000, onNote: console.log });
for (const [i, spec] of specs.entries()) {
  if (!writer.finished.has(spec.name)) await writer.write(spec.name, bytesOf(spec));
  if (i % 4 !== 3) continue;
  await writer.commit();
  console.log(`layer ${(i - 3) / 4}`);
}
console.log(`resumed ${(await writer.finish()).resumedTensors}`);
