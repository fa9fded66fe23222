// The process that convert-kill.test.ts kills: converts or quantizes as told, with a journal entry per megabyte.
//   write-child.mjs <checkpoint> <file type> <output>
import { conversionType, planConversion, planTypes, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';

const [checkpoint, fileType, output] = process.argv.slice(2);
const model = await openModel(checkpoint);
const conversion = conversionType(fileType);
const converted = planConversion(model, conversion ?? 'auto');
const plan = conversion ? converted : planTypes(model, fileType, { converted });
const abort = new AbortController();
process.on('SIGINT', () => abort.abort(new Error('interrupted')));
const result = await writeModel(model, plan, output, {
  threads: 2,
  journalBytes: 2 ** 20,
  signal: abort.signal,
  onProgress: ({ done, total }) => process.stdout.write(`${done}/${total}\n`),
});
console.log(`resumed ${result.resumedTensors}`);
await model.close();
