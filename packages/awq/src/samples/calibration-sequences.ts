// Calibration text to sequences of tokens. A list of texts (.json) is treated as AutoAWQ does; a plain text is cut into
// chunks as for an importance matrix; without a file the recipe that comes with quern is used.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { calibrationChunks, loadRecipe, shuffled } from '@quern/calibration';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { listSamples } from './list-samples.ts';

export interface CalibrationSource {
  /** A text (UTF-8), or a JSON list of texts. Default: the recipe. */
  readonly file?: string;
  readonly recipe?: string;
  /** Texts of a list; sequences of a plain text. Default 128. */
  readonly samples?: number;
  /** Tokens per sequence. Default 512. */
  readonly sequenceTokens?: number;
  /** Order of texts or sequences, before `samples` of them are taken. Default: as they stand; a recipe has its own. */
  readonly seed?: number;
}

/** @throws QuernError `calibration-empty`, `calibration-not-a-list`, `text-too-short`, `text-unreadable`, `recipe-*` */
export async function calibrationSequences(view: ModelView, source: CalibrationSource): Promise<Int32Array[]> {
  const { file, samples = 128, sequenceTokens = 512, seed } = source;
  const tokenizer = tokenizerFromGguf(view.metadata);
  if (file === undefined) {
    const { plan } = await loadRecipe(source.recipe ?? 'default');
    const options = { contextTokens: sequenceTokens, parseSpecial: plan.parseSpecial, seed: seed ?? plan.seed };
    return calibrationChunks(tokenizer, plan.texts, options).slice(0, samples);
  }
  const bytes = await readFile(file).catch((cause: Error) => {
    throw new QuernError('text-unreadable', `The text cannot be read: ${cause.message}.`, { file, cause });
  });
  if (bytes.every((byte) => byte <= 0x20))
    throw new QuernError('calibration-empty', 'The calibration text is empty.', {
      file,
      remedy: 'Give a text of what the model is for.',
    });
  if (!/\.json$/i.test(file)) {
    const texts = [{ name: basename(file), bytes }];
    return calibrationChunks(tokenizer, texts, { contextTokens: sequenceTokens, seed }).slice(0, samples);
  }
  const texts = parseList(bytes, file);
  return listSamples(tokenizer, seed === undefined ? texts : shuffled(texts, seed), { samples, sequenceTokens, file });
}

function parseList(bytes: Uint8Array, file: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new QuernError('calibration-not-a-list', `The file is no JSON: ${(cause as Error).message}.`, {
      file,
      cause,
    });
  }
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  throw new QuernError('calibration-not-a-list', 'The file is no JSON list of strings.', {
    file,
    remedy: 'Give ["one text", "another"], or a plain text file.',
  });
}
