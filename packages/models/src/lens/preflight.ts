// Everything that can be wrong with a checkpoint's tensors, found from headers alone, before a byte of data is read.
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture, TensorRule } from '../arch/architecture.ts';
import type { ExpectedTensor } from '../arch/expected-tensors.ts';

/** A tensor of the checkpoint and what it becomes. */
export interface MatchedTensor extends ExpectedTensor {
  view: TensorView;
}

/** Buffers that old checkpoints store and nobody needs: the converter skips the same. */
const ignorable = ['.attention.masked_bias', '.attention.bias', '.rotary_emb.inv_freq'];

const readable = ['F32', 'F16', 'BF16'];

/**
 * Pairs every tensor of the checkpoint with its rule.
 * @param expected all rules that apply to this architecture and these sizes
 * @param note told what is skipped
 * @returns checkpoint name → match
 * @throws QuernError `tensors-missing`, `tensors-unexpected`, `tensors-wrong-shape`, `tensors-unsupported-dtype`, each
 *   listing its offenders
 */
export function matchTensors(
  checkpoint: HfCheckpoint,
  architecture: Architecture,
  expected: readonly ExpectedTensor[],
  note: (text: string) => void,
): Map<string, MatchedTensor> {
  const { config, tensors, path: file } = checkpoint;
  const byName = new Map(expected.flatMap((entry) => (entry.hf ? [[entry.hf, entry] as const] : [])));

  const missing = [...byName].filter(([name, { rule }]) => isRequired(rule, config) && !tensors.has(name));
  refuse(
    'tensors-missing',
    `The checkpoint lacks`,
    missing.map(([name]) => name),
    {
      file,
      remedy: 'Fetch the checkpoint again, or check that config.json belongs to these weights.',
    },
  );

  const matched = new Map<string, MatchedTensor>();
  const unexpected: string[] = [];
  const skipped: string[] = [];
  for (const [name, view] of tensors) {
    const entry = byName.get(name);
    if (entry && isAllowed(entry.rule, config)) matched.set(name, { ...entry, view });
    else if (ignorable.some((ending) => name.endsWith(ending))) skipped.push(name);
    else unexpected.push(name);
  }
  refuse('tensors-unexpected', `${architecture.family} has no place for`, unexpected, {
    file,
    remedy: 'Leaving them out would change what the model says.',
  });
  if (skipped.length > 0) note(`skipped, computed at run time: ${listed(skipped)}`);
  if (config.tie_word_embeddings === true && tensors.has('lm_head.weight')) {
    note('tie_word_embeddings is true, yet lm_head.weight is stored: it becomes output.weight');
  }

  const matches = [...matched.values()];
  refuse(
    'tensors-wrong-shape',
    'config.json and the weights disagree:',
    matches
      .filter(
        ({ view, shape }) => view.shape.length !== shape.length || view.shape.some((size, i) => size !== shape[i]),
      )
      .map(({ view, shape }) => `${view.name} is [${view.shape}], config.json makes it [${shape}]`),
    { file },
  );
  refuse(
    'tensors-unsupported-dtype',
    `Weights must be ${readable.join(', ')}:`,
    matches
      .filter(({ view }) => !readable.includes(view.dtype.name))
      .map(({ view }) => `${view.name} is ${view.dtype.name}`),
    { file, remedy: 'Start from the unquantized checkpoint.' },
  );
  return matched;
}

function isRequired(rule: TensorRule, config: HfCheckpoint['config']): boolean {
  if (rule.presence === 'untied') return config.tie_word_embeddings !== true;
  return isAllowed(rule, config);
}

function isAllowed(rule: TensorRule, config: HfCheckpoint['config']): boolean {
  return rule.presence === 'attentionBias' ? config.attention_bias === true : rule.presence !== 'llama3Rope';
}

function refuse(
  code: string,
  what: string,
  offenders: readonly string[],
  place: { file: string; remedy?: string },
): void {
  if (offenders.length > 0) throw new QuernError(code, `${what} ${listed(offenders)}.`, place);
}

// Enough to see the pattern; a wrong config.json can make thousands.
const maxListed = 20;

function listed(names: readonly string[]): string {
  const rest = names.length - maxListed;
  return names.slice(0, maxListed).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
