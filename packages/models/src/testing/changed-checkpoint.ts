// Test support: real checkpoints with something changed, whose tensors may not be read.
import { fileURLToPath } from 'node:url';
import { type HfCheckpoint, type ModelView, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import type { QuernError } from '@quern/errors';
import { hfModelView, type LensOptions } from '../lens/hf-model-view.ts';

const arch = (name: string) => fileURLToPath(new URL(`../../../../test/models/arch/${name}`, import.meta.url));
const opened: HfCheckpoint[] = [];

export interface Change {
  /** A folder of test/models/arch. */
  model?: string;
  /** Laid over config.json; `undefined` deletes a key. */
  config?: Record<string, unknown>;
  tensors?: (tensors: Map<string, TensorView>) => void;
  /** The tensors may be read: the test compares weights. */
  readable?: boolean;
  options?: LensOptions;
}

export async function changedCheckpoint({
  model = 'llama-spm',
  config = {},
  tensors: change,
  readable,
}: Change): Promise<HfCheckpoint> {
  const checkpoint = await openHfCheckpoint(arch(model));
  opened.push(checkpoint);
  const readRows = () => {
    throw new Error('preflight read tensor data');
  };
  const tensors = new Map(
    [...checkpoint.tensors].map(([name, tensor]) => [name, readable ? tensor : { ...tensor, readRows }]),
  );
  change?.(tensors);
  const merged = Object.fromEntries(
    Object.entries({ ...checkpoint.config, ...config }).filter(([, value]) => value !== undefined),
  );
  return { ...checkpoint, config: merged, tensors };
}

export const view = async (change: Change): Promise<ModelView> =>
  hfModelView(await changedCheckpoint(change), change.options);

/** The error that the change is refused with. */
export async function refusal(change: Change, open = view): Promise<{ code: string; text: string }> {
  const error = await open(change).then(
    () => undefined,
    (caught: QuernError) => caught,
  );
  if (!error) throw new Error('it was accepted');
  return { code: error.code, text: error.describe() };
}

/** For `afterEach`. */
export async function closeChanged(): Promise<void> {
  for (const checkpoint of opened.splice(0)) await checkpoint.close();
}
