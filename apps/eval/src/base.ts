// The base that models are compared with: another model, computed in lockstep or saved first, or a file saved before.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { QuernError } from '@quern/errors';
import { type DeviceRequest, hyperparameters } from '@quern/models';
import {
  type BaseFile,
  type BaseFileHead,
  type BaseLogProbs,
  baseFileBytes,
  baseOfModel,
  countWindows,
  createBaseFile,
  type EvaluationJournal,
  evaluateWindows,
  type ModelRecord,
  modelFingerprint,
  openBaseFile,
  perplexityTokens,
  requireSameVocabulary,
  type WindowPlan,
} from '@quern/perplexity';
import { requireOutputFile } from '@quern/source';
import { type CommandContext, createProgress, type ProgressMode } from '@quern/terminal';
import { type OpenedModel, openNamedModel, startModel } from './opened-model.ts';
import type { EvalRequest } from './request.ts';

export interface OpenedBase {
  /** As the user named it. */
  readonly name: string;
  /** What tells it from other bases, for the settings of a state. */
  readonly identity: string;
  /** The model, where it is one. */
  readonly opened?: OpenedModel;
  /** Its windows are everyone's. */
  readonly plan: WindowPlan;
  readonly ids: Int32Array;
  /** SHA-256 of `ids`. */
  readonly sha256: string;
  /** @throws QuernError `vocabulary-differs` */
  requireComparable(model: OpenedModel): void;
  /** Of a base that is to be saved: whether the file has room, and may be made. */
  requirePlace(journal: EvaluationJournal): Promise<void>;
  /** Loads what is needed, once. */
  logProbs(journal: EvaluationJournal): Promise<BaseLogProbs>;
  close(): Promise<void>;
}

export interface BaseContext extends CommandContext {
  readonly mode: ProgressMode;
}

export async function openBase(request: EvalRequest, context: BaseContext): Promise<OpenedBase | undefined> {
  if (request.baseFile !== undefined) return baseFromFile(await openBaseFile(request.baseFile), request);
  if (request.base === undefined) return undefined;
  const { base, override } = request;
  return baseFromModel(await openNamedModel(base, context.mode, context, { override }), request, context);
}

/** The text, if one is named, must be the one that the file was made of. */
async function baseFromFile(file: BaseFile, { text, models }: EvalRequest): Promise<OpenedBase> {
  const { path, plan, tokens, vocabSize } = file;
  return {
    name: path,
    identity: await file.fingerprint(),
    plan,
    ids: tokens,
    sha256: sha256(tokens),
    requireComparable(model) {
      const own = hyperparameters(model.view).vocabSize;
      const difference =
        own !== vocabSize
          ? `its vocabulary has ${own} tokens, the base's ${vocabSize}`
          : text && textDifference(model, text.bytes, text.file, file);
      if (difference)
        throw new QuernError('vocabulary-differs', `The model cannot be compared with ${path}: ${difference}.`, {
          file: model.view.path,
          remedy: `Compare ${models.length > 1 ? 'models' : 'a model'} with a base of the same vocabulary and text.`,
        });
    },
    requirePlace: async () => {},
    logProbs: async () => file,
    close: () => file.close(),
  };
}

function textDifference(
  { tokenizer }: OpenedModel,
  bytes: Uint8Array,
  name: string,
  { tokens, plan }: BaseFile,
): string | undefined {
  const ids = perplexityTokens(tokenizer, bytes, name, plan.profile);
  const place = tokens.findIndex((token, i) => token !== ids[i]);
  return place < 0 ? undefined : `token ${place} of the text is ${ids[place]}, the base's ${tokens[place]}`;
}

async function baseFromModel(opened: OpenedModel, request: EvalRequest, context: BaseContext): Promise<OpenedBase> {
  const { plan, saveBase, devices } = request;
  const text = request.text!;
  let logProbs: BaseLogProbs | undefined;
  const closers: (() => Promise<void>)[] = [() => opened.close()];
  try {
    const ids = perplexityTokens(opened.tokenizer, text.bytes, text.file, plan.profile);
    const fingerprint = await modelFingerprint(opened.view);
    const jobOf = (path: string): SaveJob => ({
      ...{ opened, ids, file: text.file, plan, fingerprint, path, force: request.force, devices },
    });
    return {
      name: opened.name,
      identity: saveBase === undefined ? fingerprint : `${fingerprint} in 16 bits`,
      opened,
      plan,
      ids,
      sha256: sha256(ids),
      requireComparable: (model) => requireSameVocabulary(model.view, opened.view),
      async requirePlace(journal) {
        if (saveBase !== undefined) await placeOf(jobOf(saveBase), journal);
      },
      async logProbs(journal) {
        if (logProbs) return logProbs;
        if (saveBase === undefined) {
          const running = await startModel(opened, plan.contextTokens, devices);
          closers.push(running.dispose);
          logProbs = baseOfModel(running.model);
        } else {
          await saveOnce(jobOf(saveBase), journal, context);
          const file = await openBaseFile(saveBase);
          closers.push(() => file.close());
          logProbs = file;
        }
        return logProbs;
      },
      close: async () => {
        for (const close of closers) await close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface SaveJob {
  readonly opened: OpenedModel;
  readonly ids: Int32Array;
  readonly file: string;
  readonly plan: WindowPlan;
  readonly fingerprint: string;
  readonly path: string;
  readonly force: boolean;
  readonly devices: DeviceRequest;
}

interface BasePlace {
  readonly record: ModelRecord;
  readonly head: BaseFileHead;
  /** Complete already. */
  readonly isSaved: boolean;
}

/**
 * The file of an earlier run of the same state is as good as new; any other file is not ours to replace.
 * @throws QuernError those of `requireOutputFile`
 */
async function placeOf(job: SaveJob, journal: EvaluationJournal): Promise<BasePlace> {
  const { opened, ids, plan, path, force } = job;
  const windows = countWindows(ids.length, plan, job.file);
  const record = await journal.record(opened.name, job.fingerprint, { ...opened.size, windows });
  const head = { contextTokens: plan.contextTokens, vocabSize: hyperparameters(opened.view).vocabSize, windows };
  const isSaved = existsSync(path) && record.windows.size === windows;
  if (!isSaved) await requireOutputFile(path, { size: baseFileBytes(head), force, flag: '--save-base' });
  return { record, head, isSaved };
}

async function saveOnce(job: SaveJob, journal: EvaluationJournal, { mode, signal }: BaseContext): Promise<void> {
  const { opened, ids, plan, path } = job;
  const { record, head, isSaved } = await placeOf(job, journal);
  if (isSaved) return;
  const { contextTokens, windows } = head;
  const writer = await createBaseFile(path, head, ids);
  const progress = createProgress({ title: `eval ${opened.name}`, unit: 'tokens', mode });
  try {
    const { model, dispose } = await startModel(opened, contextTokens, job.devices);
    try {
      await evaluateWindows(model, ids, plan, {
        bos: opened.bos,
        save: writer,
        signal,
        async onWindow(index, scores) {
          await journal.addWindow(record, index, scores);
          progress.update({
            done: (index + 1) * contextTokens,
            total: windows * contextTokens,
            label: 'saving the base',
          });
        },
      });
    } finally {
      await dispose();
    }
    await writer.finish();
    progress.finish();
  } finally {
    await writer.abort();
  }
}

const sha256 = (ids: Int32Array): string => createHash('sha256').update(ids).digest('hex');
