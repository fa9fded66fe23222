// Writing a checkpoint folder tensor by tensor, in any order and with any pauses: every offset is known before the first
// byte. What was committed survives a kill; the folder gets its name when everything is in it.
import { createHash } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isModuleFile } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { partialPathOf, writeWholeFile } from '@quern/source';
import { configText } from './config-text.ts';
import type { HfFolder, HfWriterOptions, HfWritten } from './hf-folder.ts';
import {
  beginPartial,
  checkSpace,
  journalPathOf,
  publishPartial,
  removePartial,
  requireOutputFolder,
} from './partial-folder.ts';
import { planShards, type ShardPlan } from './plan-shards.ts';
import { openShards } from './shard-files.ts';

export interface HfWriter {
  /** Tensors that are complete on disk: left by an earlier run, or committed by this one. */
  readonly finished: ReadonlySet<string>;
  /**
   * Writes a part of a tensor, `offset` bytes behind its first byte (default 0: the whole tensor at once). A tensor is
   * complete when as many bytes as it has were written.
   * @throws QuernError `hf-unknown-tensor`, `hf-wrong-length`, `disk-full`, `write-failed`, `write-denied`
   */
  write(name: string, bytes: Uint8Array, offset?: number): Promise<void>;
  /**
   * The bytes of a finished tensor.
   * @throws QuernError `hf-unknown-tensor` where it is not finished, `hf-incomplete` when its file was cut
   */
  read(name: string): Promise<Uint8Array>;
  /** Puts all complete tensors on the disk and notes them, so that a later run does not write them again. */
  commit(): Promise<void>;
  /**
   * Writes config.json, side files and index, and gives the folder its name.
   * @throws QuernError `hf-incomplete` when a tensor lacks bytes
   */
  finish(): Promise<HfWritten>;
  /** Commits what is complete and stops: a later run goes on. */
  suspend(): Promise<void>;
  /** Removes everything written. */
  abort(): Promise<void>;
}

/**
 * Begins `<dir>.partial`, or goes on with the one that a run with the same settings left.
 * @throws QuernError `output-folder-missing`, `refused-output-is-input`, `refused-output-exists`,
 *   `refused-other-settings`, `refused-disk-space`, `hf-bad-side-file`, `hf-no-tensors`, `safetensors-*`
 */
export async function openHfWriter(dir: string, folder: HfFolder, options: HfWriterOptions = {}): Promise<HfWriter> {
  const { maxShardBytes, settings = {}, inputs = [], force, onNote, onUnfinished } = options;
  const plan = planShards(dir, folder.tensors, maxShardBytes);
  const sideFiles = sideFilesOf(dir, folder, plan);
  await requireOutputFolder(dir, { inputs, force });
  const bytes = [...sideFiles.values(), ...plan.shards.map(({ layout }) => ({ length: layout.fileBytes }))].reduce(
    (sum, { length }) => sum + length,
    0,
  );
  await checkSpace(dir, bytes);
  const noted = await beginPartial(dir, { content: contentOf(plan, sideFiles), settings }, { force, onNote });
  const partial = partialPathOf(dir);
  onUnfinished?.(partial, journalPathOf(dir));
  const shards = await openShards(partial, plan.shards, noted, journalPathOf(dir));
  const resumedTensors = shards.resumed;
  if (resumedTensors > 0) onNote?.(`Resuming ${partial}: ${resumedTensors} tensors are complete.`);
  return {
    finished: shards.finished,
    write: shards.write,
    read: shards.read,
    commit: shards.commit,
    suspend: shards.suspend,
    async finish() {
      await shards.close();
      for (const [name, content] of sideFiles) await writeWhole(join(partial, name), content);
      await publishPartial(dir);
      const files = [...plan.shards.map(({ file }) => file), ...sideFiles.keys()];
      return { path: dir, files, bytes, resumedTensors };
    },
    async abort() {
      await shards.suspend().catch(() => {});
      await removePartial(dir);
    },
  };
}

/** Everything but the weights. config.json comes last: it makes a folder a checkpoint. */
function sideFilesOf(
  dir: string,
  { config, sideFiles }: HfFolder,
  { index }: ShardPlan,
): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const add = (name: string, content: string | Uint8Array) =>
    files.set(name, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  for (const [name, content] of sideFiles) {
    const plain = /^(additional_chat_templates\/)?[^/\\:\0]+$/.test(name) && !/(^|\/)\.\.?$/.test(name);
    const isWeights = /\.(safetensors|safetensors\.index\.json|partial)$/.test(name);
    if (!isModuleFile(name) && (!plain || name === 'config.json' || isWeights)) {
      throw new QuernError('hf-bad-side-file', `${JSON.stringify(name)} cannot be a file beside the weights.`, {
        file: dir,
      });
    }
    add(name, content);
  }
  if (index !== undefined) add('model.safetensors.index.json', index);
  add('config.json', configText(config));
  return files;
}

/** Changes with the header of any shard and any side file. */
function contentOf({ shards }: ShardPlan, sideFiles: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256');
  for (const { file, layout } of shards) hash.update(`${file}\0`).update(layout.header);
  for (const [name, content] of sideFiles) hash.update(`${name}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (await stat(path).catch(() => undefined)) await rm(path);
  await writeWholeFile(path, content, { resumable: true });
}
