// Any text that does not contain one of several: what stands in front of a delimiter.
import { Kept } from '../work.ts';
import { anyText, type CharacterAutomaton, complementOf } from './automaton.ts';
import { searchAutomaton } from './compile.ts';

const known = new Kept<string, CharacterAutomaton>('patterns, formats and bounds of numbers');

export function textsWithout(texts: readonly string[]): CharacterAutomaton {
  if (texts.length === 0) return anyText;
  return known.of(JSON.stringify(texts), () => complementOf(searchAutomaton(texts.map(literally).join('|'))));
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
