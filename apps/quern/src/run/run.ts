// `quern run`: a chat in the terminal, or one prompt and its reply.
import { fstatSync } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { locateCheckpoint } from '@quern/checkpoint';
import { Engine } from '@quern/engine';
import { QuernError } from '@quern/errors';
import {
  type CacheOptions,
  type DeviceOptions,
  type OverrideOptions,
  readCacheTypes,
  readDeviceRequest,
  readLoadOverride,
} from '@quern/models';
import {
  type CommandContext,
  createProgress,
  downloadProgress,
  exitCodes,
  parseCount,
  printJson,
  printLine,
  printNote,
  progressMode,
} from '@quern/terminal';
import { chat } from './chat.ts';
import { Conversation } from './conversation.ts';
import { type Settings, settingRows, usualSettings, withSetting } from './settings.ts';
import { describe, modelNamed } from './speaker.ts';
import { figuresOf, speedText } from './speed.ts';

export interface RunOptions extends DeviceOptions, CacheOptions, OverrideOptions {
  prompt?: string;
  system?: string;
  verbose?: boolean;
  json?: boolean;
  quiet?: boolean;
  ctxSize?: string;
  [setting: string]: unknown;
}

/** @throws QuernError `usage-two-prompts`, `usage-no-prompt`, `usage-bad-number`, and those of loading and of `Conversation.say` */
export async function run(
  reference: string,
  given: string | undefined,
  options: RunOptions,
  context: CommandContext,
): Promise<number | undefined> {
  // Flags are looked at before anything is fetched.
  settingsOf(options, usualSettings);
  const contextTokens = parseCount('--ctx-size', options.ctxSize, 1 << 30, 0);
  const start = {
    cacheTypes: readCacheTypes(options, { k: 'F16', v: 'F16' }),
    override: readLoadOverride(options),
    // Replies are worth more for being fast than for the last digits of an unrounded product.
    ...readDeviceRequest({ activations: 'int8', ...options }),
  };
  const prompt = await promptOf(given, options);
  const mode = progressMode(options);
  const download = downloadProgress(mode);
  const model = await modelNamed(reference);
  const { path } = await locateCheckpoint(model.weights, { ...context, ...download.watch });
  download.finish();

  const described = await describe(path, model, start.override);
  const progress = createProgress({ title: 'load', mode });
  const engine = await Engine.start({
    modelPath: path,
    ...start,
    contextTokens: contextTokens === 0 ? described.trained : (contextTokens ?? described.contextTokens),
    adapters: model.adapters.map((file) => ({ path: file, scale: 1 })),
    maxSequences: 1,
    onProgress: (done, total) => progress.update({ done, total }),
  });
  progress.finish();
  try {
    context.signal.throwIfAborted();
    if (described.template === undefined)
      printNote('note: the model has no chat template; ChatML is used, which it may not know');
    const conversation = new Conversation({ engine, ...described });
    conversation.settings = settingsOf(options, described.settings);
    conversation.system = options.system ?? described.system;
    if (prompt === undefined) {
      await chat(conversation, { input: process.stdin, output: process.stdout, verbose: options.verbose });
      return undefined;
    }
    return await answer(reference, conversation, prompt, options, context.signal);
  } finally {
    await engine.close({ cancel: true });
  }
}

/** @throws QuernError `usage-bad-number` */
function settingsOf(options: RunOptions, usual: Settings): Settings {
  return settingRows.reduce((settings, { name }) => {
    const value = options[name.replace(/-./g, (dash) => dash[1]!.toUpperCase())];
    return typeof value === 'string' ? withSetting(settings, name, value) : settings;
  }, usual);
}

/** Undefined where somebody sits at the terminal who will say it. */
async function promptOf(argument: string | undefined, options: RunOptions): Promise<string | undefined> {
  if (argument !== undefined && options.prompt !== undefined)
    throw new QuernError('usage-two-prompts', 'The prompt is given twice.', { remedy: 'Give one.' });
  const given = argument ?? options.prompt;
  const piped = isPiped(given === undefined) ? await textOf(process.stdin) : undefined;
  const parts = [given, piped].filter((part) => part !== undefined && part.trim() !== '');
  if (parts.length > 0) return parts.join('\n\n');
  if (piped === undefined && process.stdin.isTTY && !options.json) return undefined;
  throw new QuernError('usage-no-prompt', 'There is no prompt.', {
    remedy: 'Give one behind the model, or pipe it in; in a terminal, without --json, a chat begins.',
  });
}

/**
 * A pipe of a shell, or a file. A socket is what Node gives its children for their input, and often never ends: it is read only
 * where nothing else says the prompt.
 */
function isPiped(alsoSockets: boolean): boolean {
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isFile() || (alsoSockets && input.isSocket());
  } catch {
    return false;
  }
}

async function answer(
  model: string,
  conversation: Conversation,
  prompt: string,
  { json, verbose }: RunOptions,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { text, end } = await conversation.say(prompt, (piece) => !json && process.stdout.write(piece), signal);
  const interrupted = end.finishReason === 'cancelled';
  if (json) printJson({ model, reply: text, finishReason: end.finishReason, ...figuresOf(end) });
  else if (!text.endsWith('\n')) printLine();
  if (verbose && !json) printNote(speedText(end));
  return interrupted ? exitCodes.interrupted : undefined;
}
