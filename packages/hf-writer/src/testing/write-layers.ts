// A run that is to be killed: `write-layers.ts <folder> <layers>` writes layer after layer, prints each when it is committed,
// and goes on when it gets a line: whoever kills it knows where it is.
import { createInterface } from 'node:readline';
import { openHfWriter } from '../open-hf-writer.ts';
import { bytesOf, folderOf, packedLayers } from './made-tensors.ts';

const [dir = '', layers = '0'] = process.argv.slice(2);
const specs = packedLayers(Number(layers), 4096);
const goOn = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const writer = await openHfWriter(dir, folderOf(specs), { maxShardBytes: 1_000_000, onNote: console.log });
for (const [i, spec] of specs.entries()) {
  if (!writer.finished.has(spec.name)) await writer.write(spec.name, bytesOf(spec));
  if (i % 4 !== 3) continue;
  await writer.commit();
  console.log(`layer ${(i - 3) / 4}`);
  await goOn.next();
}
console.log(`resumed ${(await writer.finish()).resumedTensors}`);
process.stdin.destroy();
