// A recipe: a text with its licence and its hash, and how to run a model over it. Recipes that come with quern stand in
// the folder calibration/ of the repository (in the package: dist/calibration), as recipes/<name>.json and corpora/.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuernError } from '@quern/errors';
import type { CalibrationPlan } from './plan.ts';

export interface Recipe {
  readonly name: string;
  /** SPDX expression. */
  readonly licence: string;
  readonly corpus: { readonly path: string; readonly sha256: string };
  readonly plan: CalibrationPlan;
}

interface RecipeFile {
  name: string;
  /** Path of the text, relative to the recipe. */
  corpus: string;
  sha256: string;
  licence: string;
  /** Tokens per chunk. */
  ctx: number;
  chunks: number;
  seed: number;
  parseSpecial?: boolean;
  minimumRows?: number;
}

const fields: Record<keyof RecipeFile, (value: unknown) => boolean> = {
  name: isText,
  corpus: isText,
  sha256: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  licence: isText,
  ctx: isCount,
  chunks: isCount,
  seed: (value) => value === 0 || isCount(value),
  parseSpecial: (value) => value === undefined || typeof value === 'boolean',
  minimumRows: (value) => value === undefined || isCount(value),
};

/**
 * @param ref name of a recipe that comes with quern (`default`), or the path of a recipe file
 * @throws QuernError `recipe-not-found` with the names there are, `recipe-unreadable`, `recipe-invalid` naming the
 *   field, `corpus-unreadable`, `corpus-changed` when the text is not the one that the recipe was made with
 */
export async function loadRecipe(ref: string): Promise<Recipe> {
  const path = await locateRecipe(ref);
  const file = parseRecipe(await readFile(path, 'utf8').catch(unreadable('recipe', path)), path);
  const corpus = resolve(dirname(path), file.corpus);
  const bytes = await readFile(corpus).catch(unreadable('corpus', corpus));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== file.sha256)
    throw new QuernError('corpus-changed', `The text has SHA-256 ${found}; the recipe ${ref} wants ${file.sha256}.`, {
      file: corpus,
      remedy: 'Restore the text, or give the changed one a recipe of its own.',
    });
  const { name, licence, ctx, chunks, seed, parseSpecial, minimumRows } = file;
  return {
    name,
    licence,
    corpus: { path: corpus, sha256: file.sha256 },
    plan: { texts: [{ name, bytes }], contextTokens: ctx, maxChunks: chunks, seed, parseSpecial, minimumRows },
  };
}

/** Names of the recipes that come with quern. */
export async function recipeNames(): Promise<string[]> {
  const files = await readdir(recipesFolder());
  return files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : [])).sort();
}

async function locateRecipe(ref: string): Promise<string> {
  if (ref.endsWith('.json')) return ref;
  const names = await recipeNames();
  if (names.includes(ref)) return join(recipesFolder(), `${ref}.json`);
  throw new QuernError('recipe-not-found', `There is no recipe called ${JSON.stringify(ref)}.`, {
    remedy: `Give ${names.join(', ')}, or the path of a recipe file (.json).`,
  });
}

/** Beside the built code, or at the root of the repository when run from source. */
function recipesFolder(): string {
  const places = ['./calibration/recipes', '../../../calibration/recipes'];
  const folders = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return folders.find((folder) => existsSync(folder)) ?? folders[0]!;
}

function parseRecipe(text: string, file: string): RecipeFile {
  const invalid = (what: string) => new QuernError('recipe-invalid', `The recipe ${what}.`, { file });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`is no JSON: ${(cause as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('is no JSON object');
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) throw invalid(`has a field ${JSON.stringify(unknown)} that means nothing`);
  for (const [key, accepts] of Object.entries(fields)) if (!accepts(given[key])) throw invalid(`has no valid "${key}"`);
  return given as unknown as RecipeFile;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

const unreadable =
  (what: string, file: string) =>
  (cause: Error): never => {
    throw new QuernError(`${what}-unreadable`, `The ${what} cannot be read: ${cause.message}.`, { file, cause });
  };
