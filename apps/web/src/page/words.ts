// Numbers and errors in words.
import type { ErrorData } from '@quern/engine';
import { formatBytes, formatCount, formatDuration } from '@quern/terminal';
import type { DeviceStep, LoadedModel, ReplyFigures, TriedStep } from '../protocol.ts';

const stepNames: Readonly<Record<DeviceStep, string>> = {
  webgpu: 'WebGPU',
  'wasm-threads': 'WebAssembly with threads',
  wasm: 'WebAssembly, one thread',
  javascript: 'plain JavaScript, which is slow',
};

/** What is wrong, where, what to do, and the code to search for. */
export function errorLine({ code, message, file, tensor, offset, remedy }: ErrorData): string {
  const where = [file, tensor && `tensor ${tensor}`, offset !== undefined && `byte ${offset}`].filter(Boolean);
  return [message, where.length > 0 && `(${where.join(', ')})`, remedy, `[${code}]`].filter(Boolean).join(' ');
}

export function triedLine({ step, refused }: TriedStep): string {
  return refused ? `${stepNames[step]}: not used. ${errorLine(refused)}` : `${stepNames[step]}: used.`;
}

export function modelLine({ name, architecture, parameters, types, fileBytes, contextTokens }: LoadedModel): string {
  const about = [architecture, `${formatCount(parameters)} parameters`, types.join('/'), formatBytes(fileBytes)];
  return `${name} · ${about.join(' · ')} · ${contextTokens} tokens of context`;
}

export function deviceLine({ step, deviceDetail, loadMs, memoryBytes, slowTypes }: LoadedModel): string {
  const slow = slowTypes.length > 0 ? ` · ${slowTypes.join(', ')}: no fast kernel, slow` : '';
  return `Runs on ${stepNames[step]} (${deviceDetail}) · loaded in ${formatDuration(loadMs)} · ${formatBytes(memoryBytes)} of memory${slow}`;
}

const endings = {
  stop: '',
  length: ' · ended: the token limit',
  deadline: ' · ended: no more time',
  cancelled: ' · stopped',
} as const;

export function figuresLine(figures: ReplyFigures): string {
  const { finishReason, promptTokens, promptMs, generatedTokens, generationMs } = figures;
  // The first token comes out of the prompt's last batch.
  const rest = Math.max(0, generatedTokens - 1);
  return `prompt ${promptTokens} tokens, ${rate(promptTokens, promptMs)} · reply ${generatedTokens} tokens, ${rate(rest, generationMs)}${endings[finishReason]}`;
}

const rate = (tokens: number, ms: number): string =>
  tokens > 0 && ms > 0 ? `${((1000 * tokens) / ms).toFixed(1)} tokens/s` : 'too few to time';
