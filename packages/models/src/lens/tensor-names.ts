// Names of a checkpoint's tensors, however its maker wrapped them. Programs put words in front of all names
// (`_orig_mod.`, `module.`, `base_model.model.`, `language_model.`) or leave `model.` away; what follows is the same
// everywhere and is unique. That core decides which tensor it is. Words of any kind that stand in front of every name tell
// nothing apart, so they are none of it either.
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';

/** What torch puts between, wherever it wrapped a module: compiling, sharding, checkpointing of activations. */
const wraps = /(^|\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)(?=\.)/g;

/** Words in front, of wrappers and of the network itself. */
const front =
  /^(model|module|base_model|language_model|text_model|llm|transformer|backbone|decoder_model|gpt_neox|bert|roberta|thinker)\./;

/** The name without words in front. */
export function coreOf(name: string): string {
  let core = name.replace(wraps, '').replace(/^\./, '');
  for (;;) {
    const shorter = core.replace(front, '');
    if (shorter === core) return core;
    core = shorter;
  }
}

export interface TensorNames {
  /** The stored tensor of an expected name: under this very name, else under one with the same core. */
  find(expected: string): TensorView | undefined;
  /** Whether some tensor's core begins so. */
  startsWith(core: string): boolean;
  /** Whether that of this stored name does. */
  coreStartsWith(stored: string, core: string): boolean;
}

/** @throws QuernError `adapter-not-merged` when the checkpoint holds parts of an adapter */
export function tensorNames({ tensors, path }: Pick<HfCheckpoint, 'tensors' | 'path'>): TensorNames {
  refuseAdapters([...tensors.keys()], path);
  const shared = sharedFront([...tensors.keys()].map(coreOf)).length;
  const core = (stored: string): string => coreOf(coreOf(stored).slice(shared));
  const byCore = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    const key = core(name);
    byCore.set(key, [...(byCore.get(key) ?? []), name]);
  }
  const cores = [...byCore.keys()];
  return {
    find(expected) {
      const exact = tensors.get(expected);
      if (exact) return exact;
      const found = byCore.get(coreOf(expected)) ?? [];
      // Of two with one core neither is the one.
      return found.length === 1 ? tensors.get(found[0]!) : undefined;
    },
    startsWith: (start) => cores.some((stored) => stored.startsWith(start)),
    coreStartsWith: (stored, start) => core(stored).startsWith(start),
  };
}

/** Whole words that begin every name, up to the layers: what a program of any name put in front. */
function sharedFront(names: readonly string[]): string {
  const [first = '', ...others] = names;
  let end = 0;
  for (;;) {
    const dot = first.indexOf('.', end);
    const begin = first.slice(0, dot + 1);
    const tellsNothing = dot > 0 && others.length > 0 && others.every((name) => name.startsWith(begin));
    if (!tellsNothing || /^(layers|\d+)\.$/.test(begin.slice(end))) return first.slice(0, end);
    end = dot + 1;
  }
}

const adapterPart =
  /\.(lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|base_layer|modules_to_save|original_module)(\.|$)/;

function refuseAdapters(names: readonly string[], file: string): void {
  const parts = names.filter((name) => adapterPart.test(name));
  if (parts.length === 0) return;
  throw new QuernError(
    'adapter-not-merged',
    `${parts.length} of ${names.length} tensors are parts of an adapter that was not merged into the weights, the first ${parts[0]}.`,
    {
      file,
      tensor: parts[0],
      remedy: 'Merge it first (peft: model.merge_and_unload()), then save the model.',
    },
  );
}

function changeOf(from: string, to: string): string {
  if (from === '') return `with "${to}" in front`;
  return to === '' ? `without "${from}"` : `with "${to}" for "${from}"`;
}

/** One line per change of names: what stood in front, and what was expected there. */
export function renamingNotes(renamed: readonly { stored: string; expected: string }[]): string[] {
  const groups = new Map<string, { count: number; example: string }>();
  for (const { stored, expected } of renamed) {
    const tail = commonTail(stored, expected);
    const change = changeOf(stored.slice(0, stored.length - tail), expected.slice(0, expected.length - tail));
    const group = groups.get(change);
    if (group) group.count += 1;
    else groups.set(change, { count: 1, example: stored });
  }
  return [...groups]
    .slice(0, 5)
    .map(([change, { count, example }]) => `${count} tensor names are read ${change}, the first ${example}`);
}

/** Length of the longest common end that begins at a whole word. */
function commonTail(a: string, b: string): number {
  const [x, y] = [a.split('.'), b.split('.')];
  let parts = 0;
  while (parts < Math.min(x.length, y.length) && x.at(-1 - parts) === y.at(-1 - parts)) parts += 1;
  return x.slice(x.length - parts).join('.').length;
}
