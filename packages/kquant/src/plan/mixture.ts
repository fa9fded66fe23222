// Which type a tensor gets in a file type: the rules of its row in `fileTypes`, then the rules of all rows.
import { type Condition, eightExperts, llama70B, type RulePlace } from './conditions.ts';
import type { FileType } from './file-types.ts';
import type { TensorGroup } from './tensor-group.ts';

export interface MixtureRule {
  /** `any`: every group but the output. */
  readonly on: TensorGroup | 'any';
  /** All must hold; none: always. */
  readonly when?: readonly Condition[];
  /** Only when the type so far is one of these. */
  readonly from?: readonly string[];
  /** Name of the dtype. */
  readonly to: string;
}

/** Applied in order after the row's own rule, each that holds. */
const sharedRules: readonly MixtureRule[] = [
  { on: 'attn_v', when: [llama70B], from: ['Q3_K', 'Q4_K'], to: 'Q5_K' },
  { on: 'attn_v', when: [eightExperts], to: 'Q8_0' },
  { on: 'attn_k', when: [eightExperts], to: 'Q8_0' },
];

export interface Choice {
  /** Name of the dtype. */
  readonly type: string;
  /** The rule in words. */
  readonly rule: string;
  /** The type that rows of whole blocks would have got. */
  readonly wanted?: string;
}

/** @param output whether it is the output, and whether its rows are whole blocks of the base type. */
export function mixtureChoice(
  fileType: FileType,
  place: RulePlace,
  output: { isOutput: boolean; wholeBlocks: boolean },
): Choice {
  if (output.isOutput) return outputChoice(fileType, place, output.wholeBlocks);
  const holds = (rule: MixtureRule, type: string): boolean =>
    (rule.on === place.group || rule.on === 'any') &&
    (rule.from?.includes(type) ?? true) &&
    (rule.when ?? []).every((condition) => condition.holds(place));

  let choice: Choice = { type: fileType.base, rule: fileType.name };
  const own = fileType.rules.find((rule) => holds(rule, choice.type));
  if (own) choice = { type: own.to, rule: inWords(own) };
  if (fileType.ownExpertRules || place.group === 'token_embd') return choice;
  for (const rule of sharedRules) if (holds(rule, choice.type)) choice = { type: rule.to, rule: inWords(rule) };
  return choice;
}

/** The matrix that makes logits (output.weight, or token_embd.weight where both are one) is worth more bits. */
function outputChoice({ output = 'Q6_K' }: FileType, { model }: RulePlace, wholeBlocks: boolean): Choice {
  const wanted = model.architecture === 'falcon' ? 'Q8_0' : output;
  return wholeBlocks ? { type: wanted, rule: 'output' } : { type: 'Q8_0', rule: 'output', wanted };
}

const inWords = ({ on, when }: MixtureRule): string =>
  when ? `${on}: ${when.map((condition) => condition.says).join(', ')}` : on;
