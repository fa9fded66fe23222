// What the command line asks for, checked before anything is opened.

import { createHash } from 'node:crypto';
import { QuernError } from '@quern/errors';
import {
  type AdapterOptions,
  type AdapterRequest,
  type CacheOptions,
  type CacheTypes,
  type DeviceOptions,
  type DeviceRequest,
  exactCache,
  type LoadOverride,
  type OverrideOptions,
  readAdapters,
  readCacheTypes,
  readDeviceRequest,
  readLoadOverride,
} from '@quern/models';
import {
  profileNamed,
  readTaskSet,
  type Shard,
  type TaskName,
  type TaskSet,
  taskNames,
  type WindowPlan,
  windowPlan,
} from '@quern/perplexity';
import { readInputFile } from '@quern/source';
import { parseCount } from '@quern/terminal';
import { evalOutputs } from './outputs.ts';

export interface EvalOptions
  extends DeviceOptions,
    CacheOptions,
    OverrideOptions,
    Pick<AdapterOptions, 'lora' | 'loraScaled'> {
  text?: string;
  profile?: string;
  ctxSize?: string;
  stride?: string;
  chunks?: string;
  base?: string;
  baseFile?: string;
  saveBase?: string;
  hellaswag?: string;
  winogrande?: string;
  multipleChoice?: string;
  maxTasks?: string;
  state?: string;
  shard?: string;
  merge?: string[];
  report?: string;
  tensorErrors?: string[];
  force?: boolean;
  statistics?: boolean;
  json?: boolean;
  quiet?: boolean;
}

export interface Text {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export interface LoadedTaskSet extends TaskSet {
  readonly file: string;
  readonly sha256: string;
}

export interface EvalRequest {
  readonly models: readonly string[];
  readonly text?: Text;
  /** Of the text; a base file brings its own. */
  readonly plan: WindowPlan;
  readonly base?: string;
  readonly baseFile?: string;
  readonly saveBase?: string;
  readonly report?: string;
  /** Replace existing files. */
  readonly force: boolean;
  readonly tasks: readonly LoadedTaskSet[];
  readonly shard: Shard;
  readonly state?: string;
  readonly devices: DeviceRequest;
  readonly cacheTypes: CacheTypes;
  readonly override?: LoadOverride;
  /** Of the models, not of the base. */
  readonly adapters: readonly AdapterRequest[];
}

/** @throws QuernError `usage-…`, `text-unreadable`, and those of `windowPlan` and `readTaskSet` */
export async function readRequest(models: readonly string[], options: EvalOptions): Promise<EvalRequest> {
  const { base, baseFile, force = false } = options;
  requireSense(models, options);
  const { report, saveBase, state } = await evalOutputs(models, options);
  const plan = windowPlan({
    profile: options.profile === undefined ? undefined : profileNamed(options.profile),
    contextTokens: parseCount('--ctx-size', options.ctxSize, 1 << 20),
    strideTokens: parseCount('--stride', options.stride, 1 << 20),
    maxWindows: parseCount('--chunks', options.chunks, 1 << 30),
  });
  if (saveBase !== undefined && plan.profile.name !== 'llama.cpp-512')
    throw new QuernError('usage-save-base', 'Base files hold the windows of profile llama.cpp-512 only.');
  const devices = readDeviceRequest(options);
  const cacheTypes = readCacheTypes(options, exactCache);
  const override = readLoadOverride(options);
  const adapters = readAdapters(options);
  const shard = parseShard(options.shard);
  const text = options.text === undefined ? undefined : await readText(options.text);
  const tasks = await readTasks(options);
  const asked = { models, text, plan, base, baseFile, saveBase, report, force, tasks, shard, state };
  return { ...asked, devices, cacheTypes, override, adapters };
}

const taskFiles = ({ hellaswag, winogrande, multipleChoice }: EvalOptions): Record<TaskName, string | undefined> => ({
  hellaswag,
  winogrande,
  'multiple-choice': multipleChoice,
});

function requireSense(models: readonly string[], options: EvalOptions): void {
  const { text, base, baseFile, saveBase, shard } = options;
  const wrong = (code: string, message: string): QuernError => new QuernError(`usage-${code}`, message);
  const hasTasks = Object.values(taskFiles(options)).some((file) => file !== undefined);
  if (models.length === 0 && saveBase === undefined) throw wrong('no-model', 'Nothing to evaluate: name a model.');
  if (base !== undefined && baseFile !== undefined)
    throw wrong('two-bases', '--base and --base-file are two ways to name the base: give one.');
  if (base !== undefined && text === undefined) throw wrong('base-without-text', '--base needs a --text.');
  if (text === undefined && baseFile === undefined && !hasTasks)
    throw wrong('no-text', 'Nothing to evaluate on: give --text, --base-file or a task file.');
  if (saveBase !== undefined && base === undefined) throw wrong('save-base', '--save-base needs a --base to save.');
  if (saveBase !== undefined && shard !== undefined)
    throw wrong('save-base', 'A base file is written whole: save it first, then evaluate shards with --base-file.');
  if (options.tensorErrors && options.report === undefined)
    throw wrong('tensor-errors', '--tensor-errors is for a --report.');
  if (baseFile === undefined) return;
  const { profile, ctxSize, stride, chunks } = options;
  for (const [flag, value] of Object.entries({ profile, 'ctx-size': ctxSize, stride, chunks }))
    if (value !== undefined)
      throw wrong('base-file-decides', `--base-file says what windows there are: leave out --${flag}.`);
}

function parseShard(text: string | undefined): Shard {
  if (text === undefined) return { index: 1, count: 1 };
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (index >= 1 && index <= count) return { index, count };
  throw new QuernError('usage-bad-shard', `--shard must be like 2/8, not '${text}'.`);
}

async function readTasks(options: EvalOptions): Promise<LoadedTaskSet[]> {
  const maxTasks = parseCount('--max-tasks', options.maxTasks, 1 << 30);
  const sets: LoadedTaskSet[] = [];
  for (const name of taskNames) {
    const file = taskFiles(options)[name];
    if (file === undefined) continue;
    const { bytes, ...set } = await readTaskSet(name, file, maxTasks);
    sets.push({ ...set, file, sha256: sha256(bytes) });
  }
  return sets;
}

async function readText(file: string): Promise<Text> {
  const bytes = await readInputFile(file, 'text', 'text-unreadable');
  return { file, bytes, sha256: sha256(bytes) };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
