// Texts of slots as files of one folder.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { writeWholeFile } from '@quern/source';
import { decodeText, encodeText, type StateSizes } from './cache/text-file.ts';
import type { EngineCore } from './core.ts';
import type { SlotAnswer, SlotRequest } from './protocol.ts';

export interface SlotFolder {
  readonly path: string;
  /** Of model and settings. */
  readonly fingerprint: string;
}

/** A name within the folder: nothing that leads out of it, and nothing hidden. */
const plainName = /^\w[\w.-]{0,199}$/;

/**
 * Must not overlap with a step.
 * @throws QuernError `slot-saving-off`, `slot-file-name`, `slot-file-missing`, `disk-full` and others of writing, and those of `SlotTexts` and `decodeText`
 */
export async function answerSlot(
  core: EngineCore,
  folder: SlotFolder | undefined,
  { action, slot, file = '' }: SlotRequest,
): Promise<SlotAnswer> {
  const startMs = performance.now();
  const answer = (tokens: number, bytes = 0): SlotAnswer => ({ tokens, bytes, ms: performance.now() - startMs });
  if (action === 'erase') return answer(core.texts.erase(slot));
  if (!folder)
    throw new QuernError('slot-saving-off', 'This engine saves no slots.', {
      remedy: 'Start it with --slot-save-path.',
    });
  if (!plainName.test(file))
    throw new QuernError('slot-file-name', `'${file}' is no plain file name.`, {
      remedy: 'Use letters, digits, dots, hyphens and underscores.',
    });
  const path = join(folder.path, file);
  if (action === 'save') {
    const text = await core.texts.take(slot);
    const bytes = await encodeText(text, folder.fingerprint);
    await writeWholeFile(path, bytes);
    return answer(text.tokens.length, bytes.length);
  }
  const bytes = await readFile(path).catch((cause) => {
    throw new QuernError('slot-file-missing', 'There is no such saved slot.', { file, cause });
  });
  const text = await decodeText(bytes, folder.fingerprint, core.stateSizes satisfies StateSizes, file);
  core.texts.put(slot, text);
  return answer(text.tokens.length, bytes.length);
}
