// Numbers and errors in words.
import type { ErrorData } from '@quern/engine';
import type { DeviceStep, LoadedModel, ReplyFigures, TriedStep } from '../protocol.ts';

const stepNames: Readonly<Record<DeviceStep, string>> = {
  webgpu: 'WebGPU',
  'wasm-threads': 'WebAssembly with threads',
  wasm: 'WebAssembly, one thread',
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
  const about = [architecture, countInWords(parameters), types.join('/'), bytesInWords(fileBytes)];
  return `${name} · ${about.join(' · ')} · ${contextTokens} tokens of context`;
}

export function deviceLine({ step, deviceDetail, loadMs, memoryBytes, slowTypes }: LoadedModel): string {
  const slow = slowTypes.length > 0 ? ` · ${slowTypes.join(', ')}: no fast kernel, slow` : '';
  return `Runs on ${stepNames[step]} (${deviceDetail}) · loaded in ${(loadMs / 1000).toFixed(2)} s · ${bytesInWords(memoryBytes)} of memory${slow}`;
}

const endings = { stop: '', length: ' · ended: the token limit', cancelled: ' · stopped' } as const;

export function figuresLine(figures: ReplyFigures): string {
  const { finishReason, promptTokens, promptMs, generatedTokens, generationMs } = figures;
  // The first token comes out of the prompt's last batch.
  const rest = Math.max(0, generatedTokens - 1);
  return `prompt ${promptTokens} tokens, ${rate(promptTokens, promptMs)} · reply ${generatedTokens} tokens, ${rate(rest, generationMs)}${endings[finishReason]}`;
}

const rate = (tokens: number, ms: number): string =>
  tokens > 0 && ms > 0 ? `${((1000 * tokens) / ms).toFixed(1)} tokens/s` : 'too few to time';

export function bytesInWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let power = 0;
  while (bytes >= 1024 ** (power + 1) && power < units.length - 1) power++;
  return `${(bytes / 1024 ** power).toFixed(power > 0 ? 1 : 0)} ${units[power]}`;
}

function countInWords(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} B parameters`;
  return `${(count / 1e6).toFixed(1)} M parameters`;
}
