// `quern serve`: one model behind an OpenAI-compatible server with a chat page.
import { locateCheckpoint } from '@quern/checkpoint';
import type { StartOptions } from '@quern/engine';
import {
  type CacheOptions,
  type CacheTypes,
  cacheFlags,
  type DeviceOptions,
  describeCacheTypes,
  deviceFlags,
  readCacheTypes,
  readDeviceRequest,
} from '@quern/models';
import {
  type CommandContext,
  createProgress,
  downloadProgress,
  exitCodes,
  exitForUsage,
  formatBytes,
  formatDuration,
  parseCount,
  printLine,
  printNote,
  progressMode,
  runCommand,
} from '@quern/terminal';
import { Command } from 'commander';
import type { ApiError } from './api-error.ts';
import type { GenerationRecord } from './generation.ts';
import { loadServedModel, type ServedModel } from './served-model.ts';
import { startServer } from './server.ts';

/** As llama.cpp: half the memory of F32, and hardly ever another token. */
const usualCache: CacheTypes = { k: 'F16', v: 'F16' };

interface ServeOptions extends DeviceOptions, CacheOptions {
  host: string;
  port: string;
  ctxSize?: string;
  parallel: string;
  cacheTokens?: string;
  queue: string;
  alias?: string;
  apiKey?: string;
  quiet?: boolean;
}

const examples = `
Examples:
  $ quern serve llama-Q4_K_M.gguf
  $ quern serve ./Llama-3.2-1B --port 0 --alias llama --api-key secret
  $ curl localhost:8080/v1/chat/completions -d '{"messages": [{"role": "user", "content": "Hello"}]}'

The context (-c) is the most that prompt and reply of one request may have together; 0 takes all that the model was trained for.
All requests share one cache of --cache-tokens, reserved at the start. The API key may also be given as QUERN_API_KEY.
Ctrl-C lets running requests finish for a few seconds.`;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Serve a model: OpenAI-compatible endpoints and a chat page.')
    .argument('<model>', 'GGUF file, checkpoint folder or hub id')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 for any free one', '8080')
    .option('-c, --ctx-size <tokens>', 'context of one request (default: the model’s, 4096 at most)')
    .option('--np, --parallel <count>', 'requests computed together', '4')
    .option('--cache-tokens <tokens>', 'KV cache of all requests together (default: the context)')
    .option('--queue <count>', 'requests that may wait; further ones get 503', '64')
    .option('-a, --alias <name>', 'name of the model for clients (default: the file’s)')
    .option('--api-key <key>', 'require this key')
    .option('-q, --quiet', 'no progress and no log')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((model: string, options: ServeOptions) => runCommand((context) => serve(model, options, context)));
  for (const [flags, description] of [...cacheFlags(usualCache), ...deviceFlags]) command.option(flags, description);
  return command;
}

async function serve(reference: string, options: ServeOptions, context: CommandContext): Promise<number> {
  const sizes = {
    contextTokens: options.ctxSize === '0' ? 0 : parseCount('--ctx-size', options.ctxSize, 1 << 30),
    maxSequences: parseCount('--parallel', options.parallel, 1024)!,
    cacheTokens: parseCount('--cache-tokens', options.cacheTokens, 1 << 30),
  };
  const cacheTypes = readCacheTypes(options, usualCache);
  // Replies are worth more for being fast than for the last digits of an unrounded product.
  const devices = readDeviceRequest({ activations: 'int8', ...options });
  const queue = options.queue === '0' ? 0 : parseCount('--queue', options.queue, 1 << 20)!;
  const port = options.port === '0' ? 0 : parseCount('--port', options.port, 65535)!;
  const apiKey = options.apiKey ?? process.env.QUERN_API_KEY;
  const mode = progressMode(options);
  const download = downloadProgress(mode);
  const { path } = await locateCheckpoint(reference, { ...context, onProgress: download.onProgress });
  download.finish();

  const progress = createProgress({ title: 'load', mode });
  const server = await startServer({
    host: options.host,
    port,
    apiKey,
    maxRequests: sizes.maxSequences + queue,
    load: () =>
      loadServedModel(path, {
        alias: options.alias,
        ...sizes,
        cacheTypes,
        ...devices,
        onReload: options.quiet ? undefined : noteReload,
        onProgress: (done, total) => progress.update({ done, total }),
      }),
    ...(options.quiet ? {} : log),
  });
  printLine(`listening on ${server.url}`);
  if (!apiKey && !isLoopback(options.host))
    printNote('warning: other machines can use this server, without an API key');
  const stopped = new Promise<undefined>((resolve) =>
    context.signal.addEventListener('abort', () => resolve(undefined)),
  );
  try {
    const model = await Promise.race([server.ready, stopped]);
    progress.finish();
    if (model && !options.quiet) printNote(describeServed(model));
    await stopped;
    if (!options.quiet) printNote('shutting down');
    return exitCodes.ok;
  } finally {
    await server.close();
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

function describeServed({ id, contextTokens, description, engine }: ServedModel): string {
  const { cacheTokens, cacheTypes, maxSequences, memory, threads, summary } = engine.info;
  const trained = description.hyperparameters.contextLength;
  return [
    `serving "${id}": context ${contextTokens} of ${trained} tokens, cache ${cacheTokens} tokens`,
    `${maxSequences} requests at a time on ${threads} threads`,
    `${formatBytes(memory.weightBytes)} weights + ${formatBytes(memory.kvBytes)} cache (${describeCacheTypes(cacheTypes)}) on ${summary}`,
  ].join(', ');
}

const noteReload: StartOptions['onReload'] = (error, { summary }) =>
  printNote(`${error.message} The model was loaded again on ${summary}`);

const log = {
  onGeneration({ finishReason, promptTokens, completionTokens, ms }: GenerationRecord): void {
    printNote(`${finishReason}: ${promptTokens} prompt + ${completionTokens} reply tokens in ${formatDuration(ms)}`);
  },
  onFailure(failure: ApiError): void {
    printNote(`failure: ${failure.code}: ${failure.message}`);
  },
};
