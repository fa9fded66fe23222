// Modelfiles as Ollama documents them, and what is wrong with others.
import { expect, it } from 'vitest';
import { requestOf } from './create-request.ts';
import { parseModelfile } from './modelfile.ts';

const read = (text: string) => parseModelfile(text, 'Modelfile');

it('reads instructions in any case, comments, and texts of several lines', () => {
  const text = [
    '# a comment',
    'from llama3.2',
    '',
    'SYSTEM """You are Mario.',
    '  # no comment',
    'FROM nowhere',
    '"""',
    'Parameter temperature 1',
    'PARAMETER stop "<|eot_id|>"',
    'PARAMETER stop "AI assistant:"',
    'PARAMETER penalize_newline true',
    'TEMPLATE "{{ messages }}"',
    'MESSAGE user Is Toronto in Canada?',
    'MESSAGE assistant """yes',
    'it is"""',
    'LICENSE one',
    'LICENSE """two"""',
    'ADAPTER ./lora.gguf',
    'REQUIRES 0.14.0',
  ].join('\r\n');
  const { request, from, adapters, lines } = requestOf(read(text), 'Modelfile');
  expect(from).toMatchObject({ text: 'llama3.2', line: 2 });
  expect(request).toEqual({
    template: '{{ messages }}',
    system: 'You are Mario.\n  # no comment\nFROM nowhere\n',
    parameters: { temperature: 1, stop: ['<|eot_id|>', 'AI assistant:'], penalize_newline: true },
    messages: [
      { role: 'user', content: 'Is Toronto in Canada?' },
      { role: 'assistant', content: 'yes\nit is' },
    ],
    license: ['one', 'two'],
  });
  expect(adapters).toMatchObject([{ text: './lora.gguf', line: 18 }]);
  expect([lines.get('system'), lines.get('messages.1')]).toEqual([4, 14]);
});

it.each([
  ['SYSTEM x', /made from/],
  ['FROM a\nFROM b', /Line 2: FROM stands in line 1 already/],
  ['FROM a\n\nSYSTM x', /Line 3: there is no instruction "SYSTM".*SYSTEM/],
  ['FROM a\nSYSTEM """x\ny', /Line 2: the text of SYSTEM has no """ at its end/],
  ['FROM a\nSYSTEM', /Line 2: nothing stands behind SYSTEM/],
  ['FROM a\nRENDERER qwen3', /Line 2: RENDERER.*Leave the line out/],
  ['FROM a\nPARAMETER temprature 1', /Line 2: there is no parameter "temprature".*temperature/],
  ['FROM a\nPARAMETER seed 1\nPARAMETER seed 2', /Line 3: the parameter seed is given twice/],
  ['FROM a\nPARAMETER seed', /Line 2: nothing stands behind PARAMETER/],
  ['FROM a\nMESSAGE user', /Line 2: nothing stands behind MESSAGE/],
])('%j is refused with its line', (text, message) => {
  const refused = (): string => {
    try {
      requestOf(read(text), 'Modelfile');
      return '';
    } catch (error) {
      return (error as { describe(): string }).describe();
    }
  };
  expect(refused()).toMatch(message);
});
