// `quern serve`: one model behind an OpenAI-compatible server with a chat page.
import { statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { locateCheckpoint } from '@quern/checkpoint';
import type { RngName, StartOptions } from '@quern/engine';
import { QuernError } from '@quern/errors';
import {
  type AdapterOptions,
  type CacheOptions,
  type CacheTypes,
  type DeviceOptions,
  describeCacheTypes,
  type OverrideOptions,
  readAdapters,
  readCacheTypes,
  readDeviceRequest,
  readLoadOverride,
} from '@quern/models';
import {
  type CommandContext,
  createProgress,
  downloadProgress,
  exitCodes,
  formatBytes,
  parseCount,
  printJson,
  printLine,
  printNote,
  progressMode,
} from '@quern/terminal';
import { type EmbeddingFlags, readEmbeddings } from './embedding-flags.ts';
import { socketPathOf } from './http/addresses.ts';
import { isLoopback } from './http/host-names.ts';
import { jsonLog, textLog } from './log-lines.ts';
import { loadServedModel, type ServedModel } from './models/served-model.ts';
import { readSamplingDefaults, type SamplingFlags } from './sampling-flags.ts';
import { startServer } from './server.ts';
import { readGraceMs, readServerFlags, type ServerFlags } from './server-flags.ts';
import { readSpeculation, type SpeculationFlags } from './speculation-flags.ts';
import { type TemplateFlags, withTemplate } from './template-flags.ts';

/** As llama.cpp: half the memory of F32, and hardly ever another token. */
const usualCache: CacheTypes = { k: 'F16', v: 'F16' };

const MIB = 2 ** 20;
/** llama.cpp's figure, on machines that can spare it. */
const usualCacheRamMib = (): number => Math.min(8192, Math.floor(totalmem() / 4 / MIB));

export interface ServeOptions
  extends DeviceOptions,
    CacheOptions,
    OverrideOptions,
    ServerFlags,
    SamplingFlags,
    SpeculationFlags,
    TemplateFlags,
    EmbeddingFlags,
    AdapterOptions {
  ctxSize?: string;
  batchSize?: string;
  parallel: string;
  cacheTokens?: string;
  cacheRam?: string;
  slotSavePath?: string;
  queue: string;
  rng: RngName;
  alias?: string;
  json?: boolean;
  quiet?: boolean;
}

export async function serve(reference: string, options: ServeOptions, context: CommandContext): Promise<number> {
  const sizes = {
    contextTokens: parseCount('--ctx-size', options.ctxSize, 1 << 30, 0),
    maxSequences: parseCount('--parallel', options.parallel, 1024)!,
    batchTokens: parseCount('--batch-size', options.batchSize, 1 << 16),
    cacheTokens: parseCount('--cache-tokens', options.cacheTokens, 1 << 30),
    cacheRamBytes: MIB * (parseCount('--cache-ram', options.cacheRam, 1 << 24, 0) ?? usualCacheRamMib()),
  };
  if (sizes.batchTokens !== undefined && sizes.batchTokens < sizes.maxSequences)
    throw new QuernError('usage-bad-number', '--batch-size must be at least --parallel: each request wants a token.');
  const cacheTypes = readCacheTypes(options, usualCache);
  // Replies are worth more for being fast than for the last digits of an unrounded product.
  const devices = readDeviceRequest({ activations: 'int8', ...options });
  const guesses = readSpeculation(options);
  const defaults = readSamplingDefaults(options);
  const override = withTemplate(readLoadOverride(options), options);
  const adapters = readAdapters(options);
  const { slotSavePath } = options;
  if (slotSavePath !== undefined && !statSync(slotSavePath, { throwIfNoEntry: false })?.isDirectory())
    throw new QuernError('usage-no-folder', `--slot-save-path: '${slotSavePath}' is no folder.`);
  const queue = parseCount('--queue', options.queue, 1 << 20, 0)!;
  const listening = readServerFlags(options, process.env);
  const graceMs = readGraceMs(options);
  const mode = progressMode(options);
  const download = downloadProgress(mode);
  const located = { ...context, ...download.watch };
  const { path } = await locateCheckpoint(reference, located);
  const { modelDraft } = options;
  const draft = modelDraft === undefined ? undefined : await locateCheckpoint(modelDraft, located);
  download.finish();

  const progress = createProgress({ title: 'load', mode });
  const server = await startServer({
    ...listening,
    maxRequests: sizes.maxSequences + queue,
    load: () =>
      loadServedModel(path, {
        alias: options.alias,
        rng: options.rng,
        defaults,
        ...sizes,
        slotSavePath,
        cacheTypes,
        ...(guesses && { speculation: { ...guesses, draftModelPath: draft?.path } }),
        override,
        adapters,
        embeddings: readEmbeddings(options),
        ...devices,
        onReload: options.quiet ? undefined : noteReload,
        onProgress: (done, total) => progress.update({ done, total }),
      }),
    ...(options.quiet ? {} : options.json ? jsonLog : textLog),
  });
  if (options.json) printJson({ url: server.url, urls: server.urls });
  else for (const url of server.urls) printLine(`listening on ${url}`);
  const { apiKeys, hosts } = listening;
  if (apiKeys.length === 0 && !hosts.every((host) => isLoopback(host) || socketPathOf(host) !== undefined))
    printNote('warning: other machines can use this server, without an API key');
  const stopped = new Promise<undefined>((resolve) =>
    context.signal.addEventListener('abort', () => resolve(undefined)),
  );
  try {
    const model = await Promise.race([server.ready, stopped]);
    progress.finish();
    if (model && !options.quiet) [describeServed(model), ...model.notes].forEach(printNote);
    await stopped;
    if (!options.quiet) printNote('shutting down');
    return exitCodes.ok;
  } finally {
    await server.close({ graceMs });
  }
}

function describeServed({ id, contextTokens, description, engine }: ServedModel): string {
  if (engine.info.embeddings) {
    const { pooling, width } = engine.info.embeddings;
    return `serving "${id}": vectors of ${width} numbers (pooling ${pooling}) of texts of ${contextTokens} tokens at most, on ${engine.info.summary}`;
  }
  const { cacheTokens, cacheTypes, maxSequences, memory, threads, summary, speculation } = engine.info;
  const trained = description.hyperparameters.contextLength;
  return [
    `serving "${id}": context ${contextTokens} of ${trained} tokens, cache ${cacheTokens} tokens`,
    `${maxSequences} requests at a time on ${threads} threads`,
    `${formatBytes(memory.weightBytes)} weights + ${formatBytes(memory.kvBytes)} cache (${describeCacheTypes(cacheTypes)}) on ${summary}`,
    ...(speculation ? [`guesses of ${speculation.types.join(', ')}`] : []),
    ...(speculation?.summary === undefined ? [] : [`the draft model on ${speculation.summary}`]),
  ].join(', ');
}

const noteReload: StartOptions['onReload'] = (error, { summary }) =>
  printNote(`${error.message} The model was loaded again on ${summary}`);
