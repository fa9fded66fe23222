// What stands around calls: of one call, between two, around all.
import type { CallFormat } from '../format.ts';
import { commonPrefix, commonSuffix } from './text-parts.ts';

type Framing = Pick<CallFormat, 'section' | 'open' | 'close' | 'separator' | 'several'>;

/**
 * @param front before the first call
 * @param middle between two; undefined where two cannot be said
 * @param back behind the last
 */
export function framingOf(front: string, middle: string | undefined, back: string): Framing {
  if (middle === undefined) {
    const section = { open: '', close: '' };
    return { section, open: front.trim(), close: back.trim(), separator: '', several: false };
  }
  const close = commonPrefix(back, middle).trim();
  const shared = commonSuffix(front, middle).trim();
  const behindClose = middle.slice(middle.indexOf(close) + close.length);
  const open = behindClose.includes(shared) ? shared : commonSuffix(front, behindClose).trim();
  const separator = behindClose.slice(0, behindClose.length - open.length - trailing(behindClose)).trim();
  return {
    section: {
      open: front
        .trimEnd()
        .slice(0, front.trimEnd().length - open.length)
        .trim(),
      close: back.trimStart().slice(close.length).trim(),
    },
    open,
    close,
    separator,
    several: true,
  };
}

const trailing = (text: string): number => text.length - text.trimEnd().length;
