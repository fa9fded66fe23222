// THE table of file types: what `--type` may be, `general.file_type` (`enum llama_ftype`), the type that most tensors
// get, and the tensors that get another one. A file type is one row here.
//
// The rows are the mixtures of llama.cpp (src/llama-quant.cpp `llama_tensor_get_type_impl`). A rule names a group of
// tensors, when it holds, and the type; of the rules of one row the first that holds decides. What all rows share
// (output, 70B, eight experts) is in `mixture.ts`.
import { QuernError } from '@quern/errors';
import {
  eightExperts,
  falcon,
  firstEighthOfLayers,
  firstLayers,
  firstSixteenthOfLayers,
  moreBitsLayers,
  not,
} from './conditions.ts';
import type { MixtureRule } from './mixture.ts';

export interface FileType {
  readonly name: string;
  /** `enum llama_ftype`, the value of `general.file_type`. */
  readonly id: number;
  /** Name of the dtype of most tensors. */
  readonly base: string;
  readonly rules: readonly MixtureRule[];
}

const uniform = (name: string, id: number): FileType => ({ name, id, base: name, rules: [] });

export const fileTypes: readonly FileType[] = [
  uniform('F32', 0),
  uniform('F16', 1),
  uniform('BF16', 32),
  uniform('Q8_0', 7),
  uniform('Q4_0', 2),
  uniform('Q6_K', 18),
  {
    name: 'Q4_K_S',
    id: 14,
    base: 'Q4_K',
    rules: [
      { on: 'attn_v', when: [firstLayers(4)], to: 'Q5_K' },
      { on: 'ffn_down', when: [firstEighthOfLayers, not(falcon)], to: 'Q5_K' },
      { on: 'attn_output', when: [eightExperts, not(falcon)], to: 'Q5_K' },
    ],
  },
  {
    name: 'Q4_K_M',
    id: 15,
    base: 'Q4_K',
    rules: [
      { on: 'attn_v', when: [moreBitsLayers], to: 'Q6_K' },
      { on: 'ffn_down', when: [firstSixteenthOfLayers, falcon], to: 'Q6_K' },
      { on: 'ffn_down', when: [moreBitsLayers, falcon], to: 'Q5_K' },
      { on: 'ffn_down', when: [moreBitsLayers, not(falcon)], to: 'Q6_K' },
      { on: 'attn_output', when: [eightExperts, not(falcon)], to: 'Q5_K' },
    ],
  },
];

/**
 * The row of a file type by name, in any case.
 * @throws QuernError `usage-unknown-type` listing the names.
 */
export function fileTypeNamed(name: string): FileType {
  const found = fileTypes.find((row) => row.name === name.toUpperCase());
  if (found) return found;
  throw new QuernError('usage-unknown-type', `There is no file type '${name}'.`, {
    remedy: `Use one of ${fileTypes.map((row) => row.name).join(', ')}.`,
  });
}
