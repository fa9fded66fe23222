// Calibration text to sequences of tokens. A list of texts (.json) is treated as AutoAWQ does; a plain text, that of a
// recipe too, is cut into chunks as for an importance matrix.

import { basename } from 'node:path';
import {
  type CalibrationText,
  type ChunkOptions,
  calibrationChunks,
  loadRecipe,
  recipeNames,
  shuffled,
} from '@quern/calibration';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { readInputFile } from '@quern/source';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { listSamples } from './list-samples.ts';

export interface CalibrationSource {
  /** A text (UTF-8), a JSON list of texts, a recipe file, or the name of a recipe. Default: the recipe `default`. */
  readonly file?: string;
  /** Texts of a list; sequences of a plain text. Default 128. */
  readonly samples?: number;
  /** Tokens per sequence. Default 512. */
  readonly sequenceTokens?: number;
  /** Order of texts or sequences, before `samples` of them are taken. Default: as they stand; a recipe has its own. */
  readonly seed?: number;
}

/** @throws QuernError `calibration-empty`, `calibration-not-a-list`, `text-too-short`, `text-unreadable`, `recipe-*` */
export async function calibrationSequences(view: ModelView, source: CalibrationSource): Promise<Int32Array[]> {
  const { file = 'default', samples = 128, sequenceTokens = 512, seed } = source;
  const tokenizer = tokenizerFromGguf(view.metadata);
  const chunks = (texts: readonly CalibrationText[], options: Omit<ChunkOptions, 'contextTokens'>): Int32Array[] =>
    calibrationChunks(tokenizer, texts, { ...options, contextTokens: sequenceTokens }).slice(0, samples);
  const fromRecipe = async (ref: string): Promise<Int32Array[]> => {
    const { plan } = await loadRecipe(ref);
    return chunks(plan.texts, { parseSpecial: plan.parseSpecial, seed: seed ?? plan.seed });
  };
  if ((await recipeNames()).includes(file)) return fromRecipe(file);
  const bytes = await readInputFile(file, 'text', 'text-unreadable');
  if (bytes.every((byte) => byte <= 0x20))
    throw new QuernError('calibration-empty', 'The calibration text is empty.', {
      file,
      remedy: 'Give a text of what the model is for.',
    });
  if (!/\.json$/i.test(file)) return chunks([{ name: basename(file), bytes }], { seed });
  const value = parseJson(bytes, file);
  if (!Array.isArray(value) && typeof value === 'object' && value !== null) return fromRecipe(file);
  const texts = listOf(value, file);
  return listSamples(tokenizer, seed === undefined ? texts : shuffled(texts, seed), { samples, sequenceTokens, file });
}

function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new QuernError('calibration-not-a-list', `The file is no JSON: ${(cause as Error).message}.`, {
      file,
      cause,
    });
  }
}

function listOf(value: unknown, file: string): string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  throw new QuernError('calibration-not-a-list', 'The file is no JSON list of strings.', {
    file,
    remedy: 'Give ["one text", "another"], a recipe, or a plain text file.',
  });
}
