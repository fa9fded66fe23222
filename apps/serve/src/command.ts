// `quern serve`: models behind a server for the clients of OpenAI, Anthropic, Ollama and llama-server, with a chat page.
import { locateCheckpoint } from '@quern/checkpoint';
import type { StartOptions } from '@quern/engine';
import { QuernError } from '@quern/errors';
import { describeCacheTypes } from '@quern/models';
import {
  type CommandContext,
  createProgress,
  downloadProgress,
  exitCodes,
  formatBytes,
  parseCount,
  printable,
  printJson,
  printLine,
  printNote,
  progressMode,
} from '@quern/terminal';
import { toApiError } from './api-error.ts';
import { createdAmong } from './created/created-among.ts';
import { socketPathOf } from './http/addresses.ts';
import { isLoopback } from './http/host-names.ts';
import { jsonLog, textLog } from './log-lines.ts';
import { type ManyModelFlags, readManyModelFlags, requireMany, wantsManyModels } from './many-model-flags.ts';
import { ManyModels } from './models/many-models.ts';
import { modelShelf } from './models/model-shelf.ts';
import { readSources } from './models/model-sources.ts';
import { loadServedModel, type ServedModel } from './models/served-model.ts';
import { type ModelFlags, readModelFlags } from './read-model-flags.ts';
import { readGraceMs, readServerFlags } from './read-server-flags.ts';
import { type RunningServer, serveModels, startServer } from './server.ts';
import type { ServerFlags } from './server-flags.ts';

export interface ServeOptions extends ServerFlags, ModelFlags, ManyModelFlags {
  queue: string;
  alias?: string;
  json?: boolean;
  quiet?: boolean;
}

/** @throws QuernError `usage-no-model`, `usage-alias-of-many`, and those of flags, of `readSources` and of loading */
export async function serve(
  references: readonly string[],
  options: ServeOptions,
  context: CommandContext,
): Promise<number> {
  const [reference] = references;
  // A created model is loaded as what it was made from.
  const isMany = wantsManyModels(references, options) || (await createdAmong(references)).size > 0;
  if (!isMany && reference === undefined)
    throw new QuernError('usage-no-model', 'There is no model to serve.', {
      remedy:
        'Name one, or serve a folder of them (--models-dir), a list (--preset), or the hub’s cache (--models-cached).',
    });
  if (isMany && options.alias !== undefined)
    throw new QuernError('usage-alias-of-many', '--alias is for one model.', {
      remedy: 'Names of several are given in a file of presets (--preset).',
    });
  if (!isMany) requireMany(options);
  const many = readManyModelFlags(options);
  const { options: model, complete } = readModelFlags(options);
  const queue = parseCount('--queue', options.queue, 1 << 20, 0)!;
  const listening = readServerFlags(options, process.env);
  const graceMs = readGraceMs(options);
  const mode = progressMode(options);
  const download = downloadProgress(mode);
  const locate = { ...context, ...download.watch };
  const onReload = options.quiet ? undefined : noteReload;
  const serverOptions = {
    ...listening,
    maxRequests: model.maxSequences * (isMany ? many.maxLoaded : 1) + queue,
    ...(options.quiet ? {} : options.json ? jsonLog : textLog),
  };

  if (isMany) {
    const { maxLoaded } = many;
    const { sources, startup, find, sourceNamed, created } = await readSources({
      models: references,
      flags: options,
      modelsAtOnce: maxLoaded,
      locate,
      onReload,
    });
    const models = new ManyModels(sources, many, find);
    const shelf = options.allowChanges ? modelShelf(models, sourceNamed, created) : undefined;
    if (shelf) void created.tidy(strayMs).catch(noteFailure);
    const server = await serveModels(models, { ...serverOptions, shelf });
    announce(server, options, listening);
    if (!options.quiet)
      printNote(
        sources.length === 0
          ? 'serving no models until one is fetched'
          : `serving ${sources.map(({ id }) => printable(id)).join(', ')}: each loaded when it is asked for`,
      );
    for (const name of startup) void models.acquire(name, context.signal).then((lease) => lease.release(), noteFailure);
    return untilStopped(server, context, graceMs, options);
  }

  const [alias, ...aliases] = options.alias?.split(',').map((name) => name.trim()) ?? [];
  const { path } = await locateCheckpoint(reference!, locate);
  const request = await complete(locate);
  download.finish();
  const progress = createProgress({ title: 'load', mode });
  const server = await startServer({
    ...serverOptions,
    strictModel: many.strict,
    aliases,
    load: () =>
      loadServedModel(path, {
        ...request,
        alias,
        onReload,
        onProgress: (done, total) => progress.update({ done, total }),
      }),
  });
  announce(server, options, listening);
  const loaded = server.ready.then((served) => {
    progress.finish();
    if (!options.quiet) [describeServed(served), ...served.notes].forEach(printNote);
  });
  return untilStopped(server, context, graceMs, options, loaded);
}

function announce(
  server: RunningServer,
  { json }: ServeOptions,
  { apiKeys, hosts }: ReturnType<typeof readServerFlags>,
) {
  if (json) printJson({ url: server.url, urls: server.urls });
  else for (const url of server.urls) printLine(`listening on ${url}`);
  if (apiKeys.length === 0 && !hosts.every((host) => isLoopback(host) || socketPathOf(host) !== undefined))
    printNote('warning: other machines can use this server, without an API key');
}

/** @param loaded rejects when the server is of no use */
async function untilStopped(
  server: RunningServer,
  { signal }: CommandContext,
  graceMs: number,
  { quiet }: ServeOptions,
  loaded?: Promise<void>,
): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
    // It came before there was anything to stop.
    if (signal.aborted) resolve();
  });
  try {
    await Promise.race([loaded, stopped]);
    await stopped;
    if (!quiet) printNote('shutting down');
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

/** Files that were sent wait as long for a model to be made of them. */
const strayMs = 24 * 3600 * 1000;

const noteReload: StartOptions['onReload'] = (error, { summary }) =>
  printNote(`${error.message} The model was loaded again on ${summary}`);

const noteFailure = (error: unknown): void => printNote(`failure: ${toApiError(error).message}`);
