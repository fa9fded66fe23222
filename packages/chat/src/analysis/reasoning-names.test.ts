// Models name things as they like: whatever a template calls reasoning, its marks and the switch for it, it is found by what the template writes.
import { describe, expect, it } from 'vitest';
import { renderPrompt } from '../prompt/render-prompt.ts';
import { special } from '../testing/render-reply.ts';
import { analyseTemplate } from './analyse-template.ts';

const marks = [
  ['<think>\n', '\n</think>\n\n'],
  ['<ponder>', '</ponder>'],
  ['[WHY]', '[/WHY]'],
  ['<|begin_thought|>', '<|end_thought|>'],
] as const;
/** How earlier reasoning is written: where there is some, always, or never (it is cut off the content). */
const histories = ['where there is some', 'always', 'never'] as const;

function template(field: string, [open, close]: readonly [string, string], name: string, history: string) {
  const off = name === 'no_think' ? `${name} is defined and ${name}` : `${name} is defined and not ${name}`;
  const end = JSON.stringify(close.trim());
  const said = {
    'where there is some': `{% if m.${field} %}${open}{{ m.${field} }}${close}{% endif %}{{ m.content or '' }}`,
    always: `${open}{{ m.${field} or '' }}${close}{{ m.content or '' }}`,
    never: `{% set t = m.content or '' %}{{ t.split(${end})[-1].lstrip() if ${end} in t else t }}`,
  }[history];
  const opens = history === 'always' ? '' : open;
  return `{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' %}${said}{% else %}{{ m.content }}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if ${off} %}${open}${close}{% else %}${opens}{% endif %}{% endif %}`;
}

describe.each(['reasoning_content', 'thoughts', 'rationale'])('reasoning in %s', (field) => {
  describe.each(marks)('between %j and %j', (open, close) => {
    describe.each(['enable_thinking', 'reasoning_on', 'no_think'])('switched by %s', (name) => {
      it.each(histories)('written %s', (history) => {
        const text = template(field, [open, close], name, history);
        const format = analyseTemplate(text, special);
        expect(format.reasoning).toEqual({ open: open.trim(), close: close.trim() });
        expect(format.thinking).toEqual({ name, on: name !== 'no_think', off: name === 'no_think' });
        if (history !== 'never') expect(format.messages.reasoning).toBe(field);
        const messages = [{ role: 'user', content: 'Hi' }];
        const prompt = (thinking: boolean) => renderPrompt(format, text, { messages, special, thinking });
        expect(prompt(true).reasoningOpen).toBe(history !== 'always');
        expect(prompt(false).text.trimEnd()).toMatch(new RegExp(`${close.trim().replace(/[[\]|]/g, '\\$&')}$`));
      });
    });
  });
});
