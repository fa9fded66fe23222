// The folder under its temporary name, `<dir>.partial`, with a journal beside it: begun, found again, and given its name
// when everything is in it. A folder under its final name is always complete.
import { mkdir, open, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { QuernError } from '@quern/errors';
import { missingSpace, type OutputPlace, partialPathOf, requireWritable, writeError } from '@quern/source';
import { changedSettings, type JournalHead, journalHead, readJournal } from './journal.ts';

export const journalPathOf = (dir: string): string => `${partialPathOf(dir)}.journal`;

/** Files that a checkpoint consists of: what --force may remove. */
const checkpointFile =
  /^(config|generation_config|hf_quant_config|quantize_config|quant_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(merges\.txt|tokenizer\.model|chat_template\.jinja|README\.md|additional_chat_templates)$|^model[^/]*\.safetensors(\.index\.json)?$/;

/**
 * Whether a checkpoint folder can be made at `dir`.
 * @throws QuernError those of `requireWritable`, `refused-output-is-input`, `refused-output-exists`
 */
export async function requireOutputFolder(
  dir: string,
  { inputs = [], force = false }: Pick<OutputPlace, 'inputs' | 'force'> = {},
): Promise<void> {
  await requireWritable(dir);
  const there = await stat(dir).catch(() => undefined);
  if (!there) return;
  if (!there.isDirectory()) {
    throw new QuernError('refused-output-exists', 'A file has the name of the output folder.', { file: dir });
  }
  const real = await realpath(dir);
  for (const input of inputs) {
    const its = await realpath(input).catch(() => undefined);
    if (its === real || its?.startsWith(real + sep)) {
      throw new QuernError('refused-output-is-input', 'The output folder is the one that is read.', {
        file: dir,
        remedy: 'Choose another output with -o.',
      });
    }
  }
  const names = await readdir(dir);
  if (names.length === 0) return;
  if (!force) {
    throw new QuernError('refused-output-exists', 'The output folder exists and is not empty.', {
      file: dir,
      remedy: 'Add --force to replace it, or choose another output with -o.',
    });
  }
  const others = names.filter((name) => !checkpointFile.test(name));
  if (others.length > 0) {
    throw new QuernError('refused-output-exists', `The output folder also holds ${others.slice(0, 3).join(', ')}.`, {
      file: dir,
      remedy: '--force replaces checkpoints only: move the other files, or choose another output with -o.',
    });
  }
}

/**
 * Makes `<dir>.partial`, or finds the one that an earlier run with the same settings left.
 * @returns tensors that the earlier run noted as complete
 * @throws QuernError `refused-other-settings`, `write-denied`, `write-failed`, `disk-full`
 */
export async function beginPartial(
  dir: string,
  head: JournalHead,
  { force, onNote }: { force?: boolean; onNote?: (text: string) => void },
): Promise<ReadonlySet<string>> {
  const partial = partialPathOf(dir);
  const journal = journalPathOf(dir);
  const left = await stat(partial).catch(() => undefined);
  const found = left && (await readJournal(journal));
  if (found && found.content === head.content && changedSettings(found.settings, head.settings) === '') {
    return found.finished;
  }
  if (left && !force) {
    const changed = found && changedSettings(found.settings, head.settings);
    throw new QuernError(
      'refused-other-settings',
      `An unfinished output of other settings or another input is there${changed ? ` (${changed})` : ''}.`,
      {
        file: partial,
        remedy: 'Repeat the command that began it, to go on with it; or start over with --force.',
      },
    );
  }
  if (left) onNote?.(`Discarding ${partial}: it was begun with other settings or another input.`);
  try {
    await rm(partial, { recursive: true, force: true });
    await writeFile(journal, journalHead(head));
    await mkdir(partial);
  } catch (cause) {
    throw writeError(partial, 0, cause);
  }
  return new Set();
}

/** @throws QuernError `refused-disk-space`, with the numbers */
export async function checkSpace(dir: string, bytes: number): Promise<void> {
  const partial = partialPathOf(dir);
  const files = await readdir(partial).catch(() => []);
  const stats = await Promise.all(files.map((name) => stat(join(partial, name))));
  const there = stats.reduce((sum, { blocks, size }) => sum + Math.min(blocks * 512, size), 0);
  const missing = await missingSpace(resolve(dir), bytes - there, '');
  if (!missing) return;
  throw new QuernError(
    'refused-disk-space',
    `The output needs ${missing.needed} more bytes; the disk has ${missing.free} free.`,
    { file: dir, remedy: 'Free some space, or choose another disk with -o.' },
  );
}

/**
 * Gives the folder its name, in place of what `requireOutputFolder` accepted.
 * @throws QuernError `write-denied`, `write-failed`
 */
export async function publishPartial(dir: string): Promise<void> {
  const replaced = `${dir}.replaced`;
  try {
    const there = await readdir(dir).catch(() => undefined);
    if (there?.length === 0) await rmdir(dir);
    else if (there) await rename(dir, replaced);
    await rename(partialPathOf(dir), dir);
    await syncFolder(dirname(resolve(dir)));
    await rm(journalPathOf(dir), { force: true });
    await rm(replaced, { recursive: true, force: true });
  } catch (cause) {
    throw writeError(dir, 0, cause, { resumable: true });
  }
}

export async function removePartial(dir: string): Promise<void> {
  await rm(partialPathOf(dir), { recursive: true, force: true });
  await rm(journalPathOf(dir), { force: true });
}

/** Makes a rename durable. Not every system lets a directory be opened; the data itself is synced already. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
