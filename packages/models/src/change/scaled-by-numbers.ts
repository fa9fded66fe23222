// Tensors that carry factors of config.json in GGUF, which has no keys for them (Falcon-H1). What comes back keeps them, and its
// config.json names none. The products are rounded to F32 one after the other, as the converter's are.
import { type Change, type Place, sameShape } from './change.ts';
import { mappedRows } from './mapped-values.ts';

/** Factors of a row, first to last. */
type FactorsOf = (row: number, place: Place) => readonly number[];

const scaled = (factorsOf: FactorsOf): Change => ({
  does: 'times factors of config.json',
  moves: 'values',
  ofProduct: 'left',
  ofConfig: true,
  storedShape: sameShape,
  toGguf: (tensor, place) =>
    mappedRows(tensor, (row) => {
      const factors = factorsOf(row, place);
      return (value) => factors.reduce((product, factor) => Math.fround(product * factor), value);
    }),
  toCheckpoint: (tensor) => tensor,
});

/** @param keys numbers of the model, 1 where it has none */
export const scaledBy = (...keys: readonly string[]): Change =>
  scaled((_row, { numbers }) => keys.map((key) => numbers.at(key) ?? 1));

/** @param first a factor of all rows  @param list where the factors of the parts are  @param parts their rows, one after another */
export const scaledParts = (first: string, list: string, parts: readonly string[]): Change =>
  scaled((row, { numbers, sizes }) => {
    let end = 0;
    const part = parts.findIndex((dimension) => row < (end += sizes[dimension]!));
    return [numbers.at(first) ?? 1, numbers.at(`${list}.${part}`) ?? 1];
  });
