// Colours, where a person looks: on a terminal that has them. NO_COLOR (no-color.org) turns them off, FORCE_COLOR turns
// them on in a pipe; both as the programs of npm understand them.
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

interface Output {
  readonly isTTY?: boolean;
}

/** Whether what is written to `output` may hold colours. */
export function hasColours(output: Output, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return output.isTTY === true && env.TERM !== 'dumb';
}

/** @param output where `text` will be written */
export const painted = (style: Style | Style[], text: string, output: Output): string =>
  hasColours(output) ? styleWithoutAsking(style, text) : text;

/** Newer versions of Node ask stdout themselves, and would take away what FORCE_COLOR or stderr allow. */
const styleWithoutAsking = styleText as (style: Style | Style[], text: string, options?: object) => string;
