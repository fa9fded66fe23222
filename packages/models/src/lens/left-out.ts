// Tensors that a checkpoint of several parts holds beside its text model. They are left out, counted and named.
import type { TensorView } from '@quern/checkpoint';
import type { Architecture, LeftOut } from '../arch/architecture.ts';
import { coreOf } from './tensor-names.ts';

/** In any wrapper (docs: architectures that ship as …ForConditionalGeneration). */
const everywhere: readonly LeftOut[] = [
  { start: 'visual.', what: 'vision tower' },
  { start: 'vision_tower.', what: 'vision tower' },
  { start: 'vision_model.', what: 'vision tower' },
  { start: 'vision_encoder.', what: 'vision tower' },
  { start: 'image_newline', what: 'vision tower' },
  { start: 'audio_tower.', what: 'audio tower' },
  { start: 'embed_vision.', what: 'projector of the vision tower' },
  { start: 'embed_audio.', what: 'projector of the audio tower' },
  { start: 'multi_modal_projector.', what: 'projector of the vision tower' },
  { start: 'vision_adapter.', what: 'projector of the vision tower' },
  { start: 'vision_projection.', what: 'projector of the vision tower' },
  { start: 'vision_language_adapter.', what: 'projector of the vision tower' },
  { start: 'pre_mm_projector_norm.', what: 'projector of the vision tower' },
  { start: 'patch_merger.', what: 'projector of the vision tower' },
  { start: 'mm_whisper_embeddings.', what: 'audio tower' },
];

/** What tensor `name` is a part of, or undefined when it belongs to the text model. */
export function leftOutPart(name: string, { leftOut = [] }: Architecture): string | undefined {
  const core = coreOf(name);
  return [...everywhere, ...leftOut].find(({ start }) => core.startsWith(start))?.what;
}

/** Whether it is a part of a tower or a projector that any wrapper may have. */
export const isTowerTensor = (name: string): boolean => everywhere.some(({ start }) => coreOf(name).startsWith(start));

/** One sentence for each part. */
export function leftOutNotes(tensors: readonly TensorView[], architecture: Architecture): string[] {
  const parts = new Map<string, TensorView[]>();
  for (const tensor of tensors) {
    const what = leftOutPart(tensor.name, architecture)!;
    parts.set(what, [...(parts.get(what) ?? []), tensor]);
  }
  return [...parts].map(([what, views]) => {
    const weights = views.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
    return `left out, the ${what}: ${views.length} tensors with ${weights} weights, the first ${views[0]!.name}`;
  });
}
