// `quern embed`: vectors of texts, by an embedding model.
import { QuernError } from '@quern/errors';
import {
  type DeviceOptions,
  embeddingSizes,
  embedSequences,
  hyperparameters,
  loadOnDevices,
  type Pooling,
  readDeviceRequest,
  requireFitting,
  withPooling,
} from '@quern/models';
import { type CommandContext, createProgress, printJson, printLine, progressMode } from '@quern/terminal';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { openReference } from './open-reference.ts';
import { textIn } from './text-in.ts';

export interface EmbedOptions extends DeviceOptions {
  text?: readonly string[];
  file?: readonly string[];
  pooling?: Pooling;
  json?: boolean;
}

/** Short texts share a batch: its matrices are read once. */
const textsTogether = 32;

export async function embed(name: string, options: EmbedOptions, context: CommandContext): Promise<undefined> {
  const request = readDeviceRequest(options);
  const texts = await textsOf(options);
  const { view: opened, adapters } = await openReference(name, context, options);
  const view = options.pooling === undefined ? opened : withPooling(opened, options.pooling);
  const mode = progressMode(options);
  const progress = createProgress({ title: 'embed', unit: 'texts', total: texts.length, mode });
  let dispose = async (): Promise<void> => {};
  try {
    if (adapters.length > 0)
      throw new QuernError('embed-adapters', 'The model was created with adapters, which are not applied to vectors.', {
        remedy: 'Give what it was made from (quern list).',
      });
    const tokenizer = tokenizerFromGguf(view.metadata);
    const sequences = texts.map((text) => tokenizer.encode(text, { parseSpecial: true, addSpecial: true }));
    requireFitting(sequences, hyperparameters(view).contextLength);
    const tokenCounts = sequences.map(({ length }) => length);
    const loaded = await loadOnDevices(
      view,
      request,
      embeddingSizes(Math.max(...tokenCounts), Math.min(texts.length, textsTogether)),
    );
    ({ dispose } = loaded);
    progress.note(loaded.summary);
    const embeddings: number[][] = [];
    for await (const vector of embedSequences(loaded.model, sequences)) {
      context.signal.throwIfAborted();
      embeddings.push(Array.from(vector, shortened));
      progress.update({ done: embeddings.length });
    }
    progress.finish();
    const { type, normalize } = loaded.model.pooling!;
    const devices = { summary: loaded.summary, ...loaded.model.placement };
    if (options.json)
      printJson({ model: name, embeddings, tokenCounts, pooling: type, normalized: normalize, devices });
    else for (const vector of embeddings) printLine(JSON.stringify(vector));
  } finally {
    await dispose();
    await view.close();
  }
}

/** Nine digits tell every float32. */
const shortened = (value: number): number => Number(value.toPrecision(9));

async function textsOf({ text = [], file = [] }: EmbedOptions): Promise<string[]> {
  const texts = [...text, ...(await Promise.all(file.map(textIn)))];
  if (texts.length > 0) return texts;
  throw new QuernError('usage-no-text', 'Nothing to embed: give --text or --file, once for each text.');
}
