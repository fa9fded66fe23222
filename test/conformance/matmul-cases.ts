// matmul and embed over every type with kernels and codecs. Columns cross the kernels' 512-weight step and leave rests
// of 1–3 for plain types; rows leave rests of 1–7 to a panel of 8; tokens cover both kernels and every rest.
import { type Case, floats, integers, weights } from './case.ts';

const tokenCounts = [1, 2, 3, 7, 33];
const rowCounts = [1, 5, 8, 77];
const types: Readonly<Record<string, readonly number[]>> = {
  F32: [1, 3, 37, 96, 515, 1024],
  F16: [3, 37, 96, 515, 1024],
  BF16: [3, 37, 96, 515, 1024],
  Q4_0: [32, 96, 544, 1024],
  Q5_0: [32, 544],
  Q5_1: [32, 544],
  Q8_0: [32, 96, 544, 1024],
  Q4_K: [256, 768, 1024],
  Q5_K: [256, 768],
  Q6_K: [256, 768, 1024],
};

let seed = 1;

const matmulCasesOf = (colCountsOf: Readonly<Record<string, readonly number[]>>): Case[] =>
  Object.entries(colCountsOf).flatMap(([dtype, colCounts]) =>
    colCounts.flatMap((cols) =>
      rowCounts.flatMap((rows) =>
        tokenCounts.map((tokens): Case<'matmul'> => {
          const bias = rows % 2 ? [floats([rows], seed++)] : [];
          return {
            op: 'matmul',
            title: `${dtype} ${tokens}×${cols} · ${rows} rows${bias.length ? ' + bias' : ''}`,
            inputs: [floats([tokens, cols], seed++), weights(dtype, [rows, cols], seed++), ...bias],
            outputShape: [tokens, rows],
            params: {},
            typicalSquare: cols * 0.1 ** 2, // unit x, weights of spread 0.1
          };
        }),
      ),
    ),
  );

export const matmulCases = matmulCasesOf(types);

export const embedCases: Case[] = Object.entries(types).map(([dtype, colCounts]): Case<'embed'> => {
  const cols = colCounts[1]!;
  return {
    op: 'embed',
    title: `${dtype} 5 of 9 rows of ${cols}`,
    inputs: [weights(dtype, [9, cols], seed++), integers([5], [8, 0, 3, 3, 1])],
    outputShape: [5, cols],
    params: {},
  };
});

/** More types that WebGPU has kernels for; the CPU device meets them in rounded-activations.test.ts. */
export const webgpuOnlyCases = matmulCasesOf({ Q4_1: [32, 544], Q2_K: [256, 768], Q3_K: [256, 768] });
