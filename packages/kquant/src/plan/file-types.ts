// THE table of file types: what `--type` may be, `general.file_type` (`enum llama_ftype`), the type that most tensors
// get, and the tensors that get another one. A file type is one row here.
//
// The rows are the mixtures of llama.cpp (src/llama-quant.cpp `llama_tensor_get_type_impl`). A rule names a group of
// tensors, when it holds, and the type; of the rules of one row the first that holds decides. What all rows share
// (output, 70B, eight experts) is in `mixture.ts`.
import { nearest, QuernError } from '@quern/errors';
import {
  bailingMoe3,
  both,
  eightExperts,
  either,
  falcon,
  feedForward,
  firstEighthByCount,
  firstEighthOfLayers,
  firstLayers,
  firstSixteenthOfLayers,
  fourExperts,
  middleLayers,
  moreBitsLayers,
  not,
  sharedKvHeads,
  stacked,
  withImatrix,
} from './conditions.ts';
import type { MixtureRule } from './mixture.ts';

export interface FileType {
  readonly name: string;
  /** `enum llama_ftype`, the value of `general.file_type`; of COPY, the value that the input has. */
  readonly id: number;
  /** Other names of the same type. */
  readonly aliases?: readonly string[];
  /** Name of the dtype of most tensors. */
  readonly base: string;
  readonly rules: readonly MixtureRule[];
  /** Of output.weight, or token_embd.weight where both are one; default Q6_K. */
  readonly output?: string;
  /** The rules of many experts and of 70B models do not apply: the row has its own. */
  readonly ownExpertRules?: boolean;
  /** Every tensor keeps the type it has. */
  readonly copies?: boolean;
  /** dtypes that only an importance matrix makes usable in this row, besides those that always want one. */
  readonly wantsImatrix?: readonly string[];
  /** What the weights of a model have to be for this row to keep it usable. */
  readonly madeFor?: string;
}

const uniform = (name: string, id: number, more: Partial<FileType> = {}): FileType => ({
  name,
  id,
  base: name,
  rules: [],
  ...more,
});

/** Q4_0 and Q5_0 go wrong in the first ffn_down layers when an importance matrix steers them. */
const plain = (name: string, id: number, firstDown: string): FileType =>
  uniform(name, id, { rules: [{ on: 'ffn_down', when: [withImatrix, firstEighthOfLayers], to: firstDown }] });

const ternary = (name: string, id: number): FileType =>
  uniform(name, id, { rules: [{ on: 'token_embd', to: 'Q4_K' }], madeFor: 'weights of -1, 0 and 1' });

/** attn_output of Mixtral-like models; of falcon, which has no separate attn_output rule, nothing. */
const eightExpertsOutput: MixtureRule = { on: 'attn_output', when: [eightExperts, not(falcon)], to: 'Q5_K' };
const attnOutput = (to: string): MixtureRule => ({ on: 'attn_output', when: [not(eightExperts), not(falcon)], to });

/** The types below 3 bits: what matters most gets `better`, what matters much gets Q4_K or Q5_K. */
const tiny = (
  name: string,
  id: number,
  base: string,
  types: { better: string; embedding: string; attnOutput?: string },
) =>
  uniform(name, id, {
    base,
    output: 'Q5_K',
    ownExpertRules: true,
    rules: [
      { on: 'token_embd', to: types.embedding },
      { on: 'attn_v', when: [either(sharedKvHeads, fourExperts)], to: 'Q4_K' },
      { on: 'attn_v', to: types.better },
      { on: 'attn_k', when: [eightExperts], to: 'Q4_K' },
      { on: 'ffn_down', when: [firstEighthByCount], to: types.better },
      { on: 'attn_output', when: [eightExperts], to: 'Q5_K' },
      ...(types.attnOutput ? [{ on: 'attn_output', to: types.attnOutput } as const] : []),
    ],
  });

const iq4 = (name: string, id: number): FileType =>
  uniform(name, id, {
    rules: [
      { on: 'attn_v', when: [sharedKvHeads], to: 'Q5_K' },
      { on: 'ffn_down', when: [firstEighthOfLayers, not(withImatrix)], to: 'Q5_K' },
      eightExpertsOutput,
    ],
  });

export const fileTypes: readonly FileType[] = [
  uniform('F32', 0),
  uniform('F16', 1),
  uniform('BF16', 32),
  uniform('Q8_0', 7, { output: 'Q8_0' }),
  plain('Q4_0', 2, 'Q4_1'),
  uniform('Q4_1', 3),
  plain('Q5_0', 8, 'Q5_1'),
  uniform('Q5_1', 9),
  uniform('Q6_K', 18),
  {
    name: 'Q2_K',
    id: 10,
    base: 'Q2_K',
    rules: [
      { on: 'attn_v', when: [sharedKvHeads], to: 'Q4_K' },
      { on: 'attn_v', to: 'Q3_K' },
      { on: 'ffn_down', to: 'Q3_K' },
      eightExpertsOutput,
      attnOutput('Q3_K'),
    ],
  },
  {
    name: 'Q2_K_S',
    id: 21,
    base: 'Q2_K',
    wantsImatrix: ['Q2_K'],
    rules: [
      { on: 'attn_v', when: [sharedKvHeads], to: 'Q4_K' },
      { on: 'ffn_down', when: [firstEighthOfLayers], to: 'Q4_K' },
    ],
  },
  uniform('Q3_K_S', 11, { base: 'Q3_K', rules: [eightExpertsOutput] }),
  {
    name: 'Q3_K_M',
    id: 12,
    aliases: ['Q3_K'],
    base: 'Q3_K',
    rules: [
      { on: 'attn_v', when: [firstLayers(2)], to: 'Q5_K' },
      { on: 'attn_v', to: 'Q4_K' },
      { on: 'ffn_down', when: [firstSixteenthOfLayers], to: 'Q5_K' },
      { on: 'ffn_down', when: [either(not(falcon), moreBitsLayers)], to: 'Q4_K' },
      eightExpertsOutput,
      attnOutput('Q4_K'),
    ],
  },
  {
    name: 'Q3_K_L',
    id: 13,
    base: 'Q3_K',
    rules: [
      { on: 'attn_v', to: 'Q5_K' },
      { on: 'ffn_down', when: [falcon], to: 'Q4_K' },
      { on: 'ffn_down', to: 'Q5_K' },
      { on: 'attn_output', when: [falcon], to: 'Q4_K' },
      attnOutput('Q5_K'),
    ],
  },
  {
    name: 'Q4_K_S',
    id: 14,
    base: 'Q4_K',
    rules: [
      { on: 'attn_v', when: [firstLayers(4)], to: 'Q5_K' },
      { on: 'ffn_down', when: [firstEighthOfLayers, not(falcon)], to: 'Q5_K' },
      eightExpertsOutput,
    ],
  },
  {
    name: 'Q4_K_M',
    id: 15,
    aliases: ['Q4_K'],
    base: 'Q4_K',
    rules: [
      { on: 'attn_v', when: [moreBitsLayers], to: 'Q6_K' },
      { on: 'ffn_down', when: [firstSixteenthOfLayers, falcon], to: 'Q6_K' },
      { on: 'ffn_down', when: [moreBitsLayers, falcon], to: 'Q5_K' },
      { on: 'ffn_down', when: [moreBitsLayers, not(falcon)], to: 'Q6_K' },
      eightExpertsOutput,
    ],
  },
  uniform('Q5_K_S', 16, { base: 'Q5_K' }),
  {
    name: 'Q5_K_M',
    id: 17,
    aliases: ['Q5_K'],
    base: 'Q5_K',
    rules: [
      { on: 'attn_v', when: [moreBitsLayers], to: 'Q6_K' },
      { on: 'ffn_down', when: [moreBitsLayers], to: 'Q6_K' },
    ],
  },
  iq4('IQ4_NL', 25),
  iq4('IQ4_XS', 30),
  {
    name: 'IQ3_M',
    id: 27,
    base: 'IQ3_S',
    rules: [
      { on: 'attn_v', to: 'Q4_K' },
      { on: 'ffn_down', when: [either(firstEighthOfLayers, both(eightExperts, moreBitsLayers))], to: 'Q4_K' },
      eightExpertsOutput,
      attnOutput('Q4_K'),
    ],
  },
  uniform('IQ3_S', 26, { rules: [{ on: 'attn_v', when: [sharedKvHeads], to: 'Q4_K' }, eightExpertsOutput] }),
  {
    name: 'IQ3_XS',
    id: 22,
    base: 'IQ3_S',
    rules: [
      { on: 'attn_v', when: [sharedKvHeads], to: 'Q4_K' },
      { on: 'attn_k', to: 'IQ3_XXS' },
      { on: 'attn_q', to: 'IQ3_XXS' },
      { on: 'ffn_gate', when: [middleLayers], to: 'IQ3_XXS' },
      { on: 'ffn_up', when: [middleLayers], to: 'IQ3_XXS' },
      eightExpertsOutput,
    ],
  },
  uniform('IQ3_XXS', 23, {
    output: 'Q5_K',
    rules: [
      { on: 'token_embd', to: 'IQ3_S' },
      { on: 'attn_v', when: [sharedKvHeads], to: 'Q4_K' },
      { on: 'attn_v', when: [not(withImatrix)], to: 'IQ3_S' },
      { on: 'attn_k', to: 'IQ2_S' },
      { on: 'attn_q', to: 'IQ2_S' },
      { on: 'ffn_down', when: [not(withImatrix), firstEighthOfLayers], to: 'Q4_K' },
      { on: 'ffn_down', when: [not(withImatrix)], to: 'Q3_K' },
      eightExpertsOutput,
      attnOutput('IQ3_S'),
    ],
  }),
  tiny('IQ2_M', 29, 'IQ2_S', { better: 'IQ3_S', embedding: 'IQ3_S', attnOutput: 'IQ3_S' }),
  tiny('IQ2_S', 28, 'IQ2_XS', { better: 'IQ3_S', embedding: 'IQ3_S', attnOutput: 'IQ3_S' }),
  tiny('IQ2_XS', 20, 'IQ2_XS', { better: 'Q2_K', embedding: 'Q2_K' }),
  tiny('IQ2_XXS', 19, 'IQ2_XXS', { better: 'Q2_K', embedding: 'Q2_K' }),
  tiny('IQ1_M', 31, 'IQ1_M', { better: 'Q2_K', embedding: 'Q2_K', attnOutput: 'IQ2_XXS' }),
  tiny('IQ1_S', 24, 'IQ1_S', { better: 'Q2_K', embedding: 'Q2_K', attnOutput: 'IQ2_XXS' }),
  ternary('TQ1_0', 36),
  ternary('TQ2_0', 37),
  uniform('Q1_0', 40, { madeFor: 'weights of one bit' }),
  ternary('Q2_0', 41),
  {
    name: 'MXFP4_MOE',
    id: 38,
    base: 'MXFP4',
    output: 'Q8_0',
    ownExpertRules: true,
    rules: [
      { on: 'any', when: [not(stacked)], to: 'Q8_0' },
      { on: 'any', when: [bailingMoe3, not(feedForward)], to: 'Q8_0' },
    ],
  },
  uniform('COPY', 0, { base: 'F32', copies: true }),
];

/**
 * The row of a file type by name or alias, in any case.
 * @param others what else the caller takes, for the list
 * @throws QuernError `usage-unknown-type` with the nearest names, and all of them
 */
export function fileTypeNamed(name: string, others: readonly string[] = []): FileType {
  const upper = name.toUpperCase();
  const found = fileTypes.find((row) => row.name === upper || row.aliases?.includes(upper));
  if (found) return found;
  const names = [...fileTypes.map((row) => row.name), ...others];
  const meant = nearest(name, names);
  throw new QuernError('usage-unknown-type', `There is no file type '${name}'.`, {
    remedy: `${meant.length > 0 ? `Did you mean ${meant.join(' or ')}? ` : ''}Use one of ${names.join(', ')}.`,
  });
}
