// The tags in a format: text that readers look for. Where a tag is a special token, its text must be shown to them.
import type { ChatFormat } from './format.ts';

const harmony = ['<|start|>', '<|channel|>', '<|message|>', '<|constrain|>', '<|end|>', '<|call|>', '<|return|>'];

export function formatTags({ reasoning, content, calls, channels, recipients }: ChatFormat): string[] {
  const tags = new Set<string>(channels ? harmony : []);
  const open: unknown[] = [reasoning, content, calls, recipients];
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    if (typeof next === 'string') for (const [tag] of next.matchAll(/<[^<>\s][^<>]*>|\[[^[\]]+\]/g)) tags.add(tag);
    else if (typeof next === 'object' && next !== null) open.push(...Object.values(next));
  }
  return [...tags];
}
