// The text that sensitivities are measured on: the house recipe's, or a file of the user's, in chunks whose order a seed
// decides, so that a few of them stand for all of the text.
import { readFile } from 'node:fs/promises';
import { calibrationChunks, loadRecipe } from '@quern/calibration';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { tokenizerFromGguf } from '@quern/tokenizer';

export interface CalibrationChoice {
  /** UTF-8. Default: the text of the recipe that comes with quern. */
  readonly file?: string;
  /** Tokens per chunk. Default 512. */
  readonly contextTokens?: number;
  /** Default 16. */
  readonly chunks?: number;
}

const usualChunks = 16;

/**
 * [contextTokens] each.
 * @throws QuernError `tokenizer-model-missing` and the like for a model without a tokenizer, `calibration-unreadable`,
 *   those of `calibrationChunks`: `text-too-short`, `text-not-utf8`, …
 */
export async function chunksFor(
  view: ModelView,
  choice: CalibrationChoice,
  onNote?: (text: string) => void,
): Promise<Int32Array[]> {
  const tokenizer = tokenizerFromGguf(view.metadata);
  const { plan } = await loadRecipe('default');
  const texts = choice.file === undefined ? plan.texts : [{ name: choice.file, bytes: await bytesOf(choice.file) }];
  const contextTokens = choice.contextTokens ?? plan.contextTokens;
  const all = calibrationChunks(tokenizer, texts, { ...plan, contextTokens });
  const wanted = choice.chunks ?? usualChunks;
  if (all.length < wanted && choice.chunks !== undefined)
    onNote?.(`The text has ${all.length} chunks, fewer than the ${wanted} asked for.`);
  return all.slice(0, wanted);
}

const bytesOf = (file: string): Promise<Uint8Array> =>
  readFile(file).catch((cause: Error) => {
    throw new QuernError('calibration-unreadable', `The text cannot be read: ${cause.message}.`, { file, cause });
  });
