// What the flags of a model say to the engine.
import { statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { type LocateOptions, locateCheckpoint } from '@quern/checkpoint';
import type { RngName } from '@quern/engine';
import { QuernError } from '@quern/errors';
import {
  type AdapterOptions,
  type CacheOptions,
  type CacheTypes,
  type DeviceOptions,
  type OverrideOptions,
  readAdapters,
  readCacheTypes,
  readDeviceRequest,
  readLoadOverride,
} from '@quern/models';
import { parseCount } from '@quern/terminal';
import { type ChatFlags, readChatDefaults } from './chat-flags.ts';
import { type EmbeddingFlags, readEmbeddings } from './embedding-flags.ts';
import type { LoadServedModelOptions } from './models/served-model.ts';
import { readSamplingDefaults } from './read-sampling-flags.ts';
import type { SamplingFlags } from './sampling-flags.ts';
import { readSpeculation, type SpeculationFlags } from './speculation-flags.ts';
import type { TemplateFlags } from './template-flags.ts';
import { withTemplate } from './with-template.ts';

export interface ModelFlags
  extends DeviceOptions,
    CacheOptions,
    OverrideOptions,
    SpeculationFlags,
    EmbeddingFlags,
    AdapterOptions,
    SamplingFlags,
    ChatFlags,
    TemplateFlags {
  ctxSize?: string;
  batchSize?: string;
  parallel: string;
  cacheTokens?: string;
  cacheRam?: string;
  slotSavePath?: string;
  engineTimeout: string;
  rng: RngName;
}

/** As llama.cpp: half the memory of F32, and hardly ever another token. */
const usualCache: CacheTypes = { k: 'F16', v: 'F16' };

const MIB = 2 ** 20;
/** llama.cpp's figure, on machines that can spare it. */
const usualCacheRamMib = (): number => Math.min(8192, Math.floor(totalmem() / 4 / MIB));

/** Options of `loadServedModel`, and where a draft model is found. */
export interface ModelRequest {
  readonly options: LoadServedModelOptions & { readonly maxSequences: number };
  /** With the draft model fetched, if there is one. */
  complete(locate: LocateOptions): Promise<LoadServedModelOptions>;
}

/**
 * @param modelsAtOnce how many share the memory for what is kept
 * @throws QuernError `usage-…`
 */
export function readModelFlags(flags: ModelFlags, modelsAtOnce = 1): ModelRequest {
  const sizes = {
    contextTokens: parseCount('--ctx-size', flags.ctxSize, 1 << 30, 0),
    maxSequences: parseCount('--parallel', flags.parallel, 1024)!,
    batchTokens: parseCount('--batch-size', flags.batchSize, 1 << 16),
    cacheTokens: parseCount('--cache-tokens', flags.cacheTokens, 1 << 30),
    cacheRamBytes: MIB * (parseCount('--cache-ram', flags.cacheRam, 1 << 24, 0) ?? usualCacheRamMib() / modelsAtOnce),
  };
  if (sizes.batchTokens !== undefined && sizes.batchTokens < sizes.maxSequences)
    throw new QuernError('usage-bad-number', '--batch-size must be at least --parallel: each request wants a token.');
  const { slotSavePath, modelDraft } = flags;
  if (slotSavePath !== undefined && !statSync(slotSavePath, { throwIfNoEntry: false })?.isDirectory())
    throw new QuernError('usage-no-folder', `--slot-save-path: '${slotSavePath}' is no folder.`);
  const guesses = readSpeculation(flags);
  const options = {
    ...sizes,
    rng: flags.rng,
    slotSavePath,
    silenceMs: 1000 * parseCount('--engine-timeout', flags.engineTimeout, 86_400, 0)!,
    cacheTypes: readCacheTypes(flags, usualCache),
    defaults: { ...readSamplingDefaults(flags), chat: readChatDefaults(flags) },
    override: withTemplate(readLoadOverride(flags), flags),
    adapters: readAdapters(flags),
    embeddings: readEmbeddings(flags),
    // Replies are worth more for being fast than for the last digits of an unrounded product.
    ...readDeviceRequest({ activations: 'int8', ...flags }),
  };
  return {
    options,
    async complete(locate) {
      if (!guesses) return options;
      const draft = modelDraft === undefined ? undefined : await locateCheckpoint(modelDraft, locate);
      return { ...options, speculation: { ...guesses, draftModelPath: draft?.path } };
    },
  };
}
