import { QuernError } from '@quern/errors';

export interface CalibrateCommandOptions {
  text?: string[];
  recipe?: string;
  output?: string;
  format: 'gguf' | 'dat';
  ctxSize?: string;
  chunks?: string;
  minimumRows?: string;
  processOutput?: boolean;
  parseSpecial?: boolean;
  merge?: string[];
  showStatistics?: boolean;
  threads?: string;
  saveEvery: string;
  force?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/** @throws QuernError `usage-no-model`, `usage-text-without-model` */
export function requireUsage(model: string | undefined, { text, recipe, merge }: CalibrateCommandOptions): void {
  if (model !== undefined) return;
  if (!merge) throw new QuernError('usage-no-model', 'Nothing to measure: name a model, or files to --merge.');
  if (text || recipe)
    throw new QuernError('usage-text-without-model', 'A text is measured on a model: name it before --merge.');
}
