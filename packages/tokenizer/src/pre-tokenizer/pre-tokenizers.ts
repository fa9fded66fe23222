// Pre-tokenizers by name, and names by expression.

import { QuernError } from '@quern/errors';
import { canonical } from '../expression/node.ts';
import { parseExpression } from '../expression/parse.ts';
import { compilePattern, splitIsolated } from './compile.ts';
import { type Row, table } from './table.ts';

export interface PreTokenizer {
  readonly name: string;
  /** Applied one after the other, each to the pieces that the one before left (dialect: patterns.ts). */
  readonly patterns: readonly string[];
  /** A word that is itself a token is taken whole, whatever the merges would make of it. */
  readonly ignoreMerges: boolean;
  /** BOS is added when the metadata does not say. */
  readonly addBos: boolean;
  /** The text itself is merged, not its bytes. */
  readonly isText: boolean;
  split(text: string): readonly string[];
}

const rowOf = new Map(table.flatMap((row) => row.names.map((name) => [name, row] as const)));

/** Names that `preTokenizerNamed` knows, in the table's order. */
export const preTokenizerNames: readonly string[] = [...rowOf.keys()];

/**
 * Names of the pre-tokenizers that apply `steps`, one after the other: first those that treat whole words as asked.
 * @throws ExpressionError
 */
export function preTokenizersWithPatterns(steps: readonly string[], ignoreMerges: boolean): readonly string[] {
  const wanted = steps.map(canonicalOf);
  const same = (written: readonly string[]) =>
    written.length === wanted.length && written.every((pattern, index) => canonicalOf(pattern) === wanted[index]);
  const rows = table.filter((row) => [row.patterns, ...(row.alsoWritten ?? [])].some(same));
  const fits = (row: Row) => (row.ignoreMerges ?? false) === ignoreMerges && !row.byNameOnly;
  return [...rows.filter(fits), ...rows.filter((row) => !fits(row))].map(({ names }) => names[0] as string);
}

const canonicals = new Map<string, string>();

function canonicalOf(pattern: string): string {
  const known = canonicals.get(pattern);
  if (known !== undefined) return known;
  const text = canonical(parseExpression(pattern));
  // The table's own, a few dozen; of strangers' expressions one file has few.
  if (canonicals.size < 1000) canonicals.set(pattern, text);
  return text;
}

/** Throws `pre-tokenizer-unknown`. */
export function preTokenizerNamed(name: string): PreTokenizer {
  const row = rowOf.get(name);
  if (!row) {
    throw new QuernError('pre-tokenizer-unknown', `Unknown pre-tokenizer "${name}" (tokenizer.ggml.pre).`, {
      remedy: `Use a model with one of these: ${preTokenizerNames.join(', ')}.`,
    });
  }
  const expressions = row.patterns.map(compilePattern);
  return {
    name,
    patterns: row.patterns,
    ignoreMerges: row.ignoreMerges ?? false,
    addBos: row.addBos ?? false,
    isText: row.isText ?? false,
    split: (text) => expressions.reduce<readonly string[]>(splitIsolated, [text]),
  };
}
