// Small models as GGUF files in a folder of their own, converted here from the checkpoints in test/models.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelView } from '@quern/checkpoint';
import { type GgufMetadata, GgufWriter } from '@quern/gguf';
import { type ConversionType, planConversion, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';

const checkpoint = (name: string): string => new URL(`../models/${name}`, import.meta.url).pathname;

/** What transformers renders and generates greedily for the tiny model (test/models/tiny-llama/expected/README.md). */
export const expectedChats: { messages: { role: string; content: string }[]; greedy_text: string }[] = JSON.parse(
  readFileSync(join(checkpoint('tiny-llama'), 'expected/chat.json'), 'utf8'),
).chat_template;

export interface ModelFolder {
  readonly folder: string;
  path(name: string): string;
  remove(): void;
}

/** `tiny-llama-F16.gguf`, `tiny-llama-Q8_0.gguf`, `llama3.gguf`, and `split-0000n-of-00002.gguf`. */
export async function makeModels(): Promise<ModelFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'quern-browser-'));
  const path = (name: string): string => join(folder, name);
  const convert = async (from: string, type: ConversionType, name: string): Promise<void> => {
    const view = await openModel(checkpoint(from));
    await writeModel(view, planConversion(view, type), path(name), { threads: 1 });
    await view.close();
  };
  await convert('tiny-llama', 'F16', 'tiny-llama-F16.gguf');
  await convert('tiny-llama', 'Q8_0', 'tiny-llama-Q8_0.gguf');
  await convert('arch/llama3', 'BF16', 'llama3.gguf');
  const whole = await openModel(path('llama3.gguf'));
  await writeSplits(whole, path);
  await whole.close();
  return { folder, path, remove: () => rmSync(folder, { recursive: true }) };
}

/** The model in two files, as llama-gguf-split cuts it: the metadata in the first, half of the tensors in each. */
async function writeSplits(view: ModelView, path: (name: string) => string): Promise<void> {
  const tensors = [...view.tensors.values()];
  const half = Math.ceil(tensors.length / 2);
  for (const no of [0, 1]) {
    const part = no === 0 ? tensors.slice(0, half) : tensors.slice(half);
    const metadata: GgufMetadata = new Map(no === 0 ? view.metadata : []);
    metadata.set('split.no', { type: 'uint16', value: no });
    metadata.set('split.count', { type: 'uint16', value: 2 });
    metadata.set('split.tensors.count', { type: 'int32', value: tensors.length });
    const writer = await GgufWriter.create(path(`split-0000${no + 1}-of-00002.gguf`), {
      metadata,
      tensors: part.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    });
    for (const tensor of part) {
      const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
      await tensor.readRows(0, tensor.rows, bytes);
      await writer.write(tensor.name, bytes);
    }
    await writer.finish();
  }
}
