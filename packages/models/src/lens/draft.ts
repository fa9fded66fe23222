// Blocks that predict the tokens after the next one (multi-token prediction), with names `mtp.*` or as further layers.
import type { Architecture } from '../arch/architecture.ts';
import { configError, isAbsent, show } from '../arch/config-error.ts';
import type { Json } from '../arch/config-rule.ts';
import { type ModelNumbers, maxBlocks } from '../arch/model-numbers.ts';
import type { MatchedTensor } from './preflight.ts';
import type { TensorNames } from './tensor-names.ts';
import { trackedConfig } from './tracked-config.ts';

/** `drop`: without them; `only`: they alone, with the embedding and the output, for a file beside that of the model. */
export const draftChoices = ['keep', 'drop', 'only'] as const;
export type DraftChoice = (typeof draftChoices)[number];

export interface DraftOfModel {
  /** How many are kept. */
  readonly blocks: number;
  readonly dropped: { readonly dropped?: string };
}

/**
 * What config.json promises and the checkpoint holds: fine-tunes often lack the tensors and keep the promise.
 * @throws QuernError `config-bad-value`, also when they alone are wanted and there are none
 */
export function draftOf(
  config: Json,
  { draft, family }: Architecture,
  names: TensorNames,
  choice: DraftChoice,
): DraftOfModel {
  const promised = draft?.count(config, { stores: names.startsWith }) ?? 0;
  const layers: unknown = config.num_hidden_layers;
  if (!Number.isInteger(promised) || promised < 0 || promised > maxBlocks) {
    const { asked, config: tracked } = trackedConfig(config);
    draft?.count(tracked, { stores: names.startsWith });
    const keys = [...asked()].filter((key) => !isAbsent(config[key])).map((key) => `"${key}" is ${show(config[key])}`);
    throw configError(`${keys.join(' and ')} (needed: the number of blocks that predict further tokens)`);
  }
  const start = draft?.start(typeof layers === 'number' ? layers : 0);
  const stored = promised > 0 && start !== undefined && names.startsWith(start);
  if (choice === 'only' && !stored)
    throw configError(
      `there are no blocks that predict further tokens in this ${family} model, and they alone are wanted`,
    );
  if (choice === 'drop' || !stored) return { blocks: 0, dropped: stored ? { dropped: start } : {} };
  return { blocks: promised, dropped: {} };
}

/** What a file holds by the choice. */
export function wantedTensors<T extends Pick<MatchedTensor, 'block'>>(
  found: readonly T[],
  { blocks, draftBlocks }: ModelNumbers,
  choice: DraftChoice,
): readonly T[] {
  if (choice !== 'only') return found;
  return found.filter(({ block }) => block === undefined || block >= blocks - draftBlocks);
}
