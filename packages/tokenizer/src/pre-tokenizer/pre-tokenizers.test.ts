import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preTokenizerNamed, preTokenizerNames } from './pre-tokenizers.ts';

const words = (name: string, text: string) => preTokenizerNamed(name).split(text);

describe('pre-tokenizers', () => {
  it.each(preTokenizerNames)('%s loses no character', (name) => {
    const { split } = preTokenizerNamed(name);
    const text = fc.string({ unit: fc.constantFrom(..."aZé中1२ \n\t.'$\u0301\u0085\u00a0🙂"), maxLength: 40 });
    fc.assert(
      fc.property(text, (input) => {
        expect(split(input).join('')).toBe(input);
      }),
    );
  });

  // Words as the models' tokenizers cut them.
  it('cuts digits by three for Llama 3, one by one for Qwen 2', () => {
    expect(words('llama-bpe', 'a 12345')).toEqual(['a', ' ', '123', '45']);
    expect(words('qwen2', 'a 123')).toEqual(['a', ' ', '1', '2', '3']);
  });

  it('knows contractions in both cases for Llama 3, in lower case for GPT-2', () => {
    expect(words('llama-bpe', "I'LL we've")).toEqual(['I', "'LL", ' we', "'ve"]);
    expect(words('gpt-2', "I'LL we've")).toEqual(['I', "'", 'LL', ' we', "'ve"]);
  });

  it('leaves the last of several spaces to the next word', () => {
    expect(words('gpt-2', 'a   b')).toEqual(['a', '  ', ' b']);
    expect(words('llama-bpe', 'a \n\n  b')).toEqual(['a', ' \n\n', ' ', ' b']);
  });

  it('counts as white space what Unicode does: U+0085 and U+3000 are, U+FEFF and U+200B are not', () => {
    expect(words('gpt-2', 'a\u0085\u3000')).toEqual(['a', '\u0085\u3000']);
    expect(words('gpt-2', '.\ufeff\u200b.')).toEqual(['.\ufeff\u200b.']);
  });

  it('cuts where lower case turns to upper case for GPT-4o, in any script', () => {
    expect(words('gpt-4o', 'camelCase ЖЗжЗ')).toEqual(['camel', 'Case', ' ЖЗж', 'З']);
  });

  it('names an unknown pre-tokenizer and those it knows', () => {
    expect(() => preTokenizerNamed('llama-9')).toThrow(
      expect.objectContaining({ code: 'pre-tokenizer-unknown', remedy: expect.stringContaining('llama-bpe') }),
    );
  });
});
