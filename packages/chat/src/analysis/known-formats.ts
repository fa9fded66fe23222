// Formats that rendering cannot show: the template leaves calls out, refuses to write them, or frames replies in another way.
// A row is known by a mark in the template. What the renderings show goes before what a row says, unless the row knows better.
import type { CallFormat, ChatFormat, JsonBody } from '../format.ts';

export interface KnownFormat {
  /** For a person. */
  readonly name: string;
  readonly mark: RegExp;
  /** Renderings mislead here. */
  readonly knowsBetter?: true;
  readonly format: Pick<ChatFormat, 'channels' | 'reasoning' | 'content' | 'calls'>;
  /** Added to the calls that the renderings show. */
  readonly otherOpens?: readonly string[];
  readonly codeOpen?: string;
}

const json: JsonBody = { kind: 'json', list: false, name: 'name', arguments: 'arguments', before: [], after: [] };
const none = { open: '', close: '' };

function calls(format: Partial<CallFormat> & Pick<CallFormat, 'body'>): CallFormat {
  return { section: none, open: '', close: '', separator: '', several: true, ...format };
}

/** Firefunction was trained on it, and Phi-4-mini; texts of templates speak of it. */
const functools = calls({ section: { open: 'functools', close: '' }, body: { ...json, list: true } });

const tagged = (tag: string): CallFormat =>
  calls({
    open: `<${tag}>\n<function=`,
    close: `</function>\n</${tag}>`,
    body: {
      kind: 'parameters',
      beforeName: [''],
      afterName: ['>\n'],
      keyOpen: '<parameter=',
      valueOpen: ['>\n'],
      valueClose: '\n</parameter>\n',
      spelling: 'json',
    },
  });

export const knownFormats: readonly KnownFormat[] = [
  {
    name: 'harmony (gpt-oss)',
    mark: /<\|channel\|>(?:analysis|final|commentary)/,
    knowsBetter: true,
    format: {
      channels: 'harmony',
      reasoning: { open: '<|channel|>analysis<|message|>', close: '<|end|>' },
      calls: calls({
        open: ' to=functions.',
        close: '<|call|>',
        several: false,
        body: {
          kind: 'named',
          beforeName: [''],
          afterName: ['<|channel|>commentary json<|message|>'],
          notation: { bareKeys: false },
        },
      }),
    },
  },
  {
    name: 'Kimi K3',
    mark: /open_tag\('think'/,
    knowsBetter: true,
    format: {
      reasoning: { open: '<|open|>think<|sep|>', close: '<|close|>think<|sep|>' },
      content: { open: '<|open|>response<|sep|>', close: '<|close|>response<|sep|>' },
    },
  },
  {
    name: 'Apertus',
    mark: /<\|inner_prefix\|>/,
    format: { reasoning: { open: '<|inner_prefix|>', close: '<|inner_suffix|>' } },
  },
  {
    name: 'Kimi K2',
    mark: /<\|tool_calls_section_begin\|>/,
    format: {
      calls: calls({
        section: { open: '<|tool_calls_section_begin|>', close: '<|tool_calls_section_end|>' },
        open: '<|tool_call_begin|>functions.',
        close: '<|tool_call_end|>',
        body: {
          kind: 'named',
          beforeName: [''],
          afterName: [':', '<|tool_call_argument_begin|>'],
          notation: { bareKeys: false },
        },
      }),
    },
  },
  {
    name: 'DeepSeek R1 and V3',
    mark: /<｜tool▁call▁begin｜>(?:'\s*\+[^+]*\+\s*'|function)?<｜tool▁sep｜>/,
    format: {
      calls: calls({
        section: { open: '<｜tool▁calls▁begin｜>', close: '<｜tool▁calls▁end｜>' },
        open: '<｜tool▁call▁begin｜>function<｜tool▁sep｜>',
        close: '```<｜tool▁call▁end｜>',
        body: { kind: 'named', beforeName: [''], afterName: ['\n```json\n'], notation: { bareKeys: false } },
      }),
    },
  },
  {
    name: 'Seed-OSS',
    mark: /<seed:tool_call>/,
    format: { calls: tagged('seed:tool_call') },
  },
  {
    name: 'LFM2',
    mark: /<\|tool_list_start\|>|<\|tool_call_start\|>|List of tools: \[/,
    format: {
      calls: calls({
        section: { open: '<|tool_call_start|>', close: '<|tool_call_end|>' },
        body: { kind: 'python', list: true },
      }),
    },
  },
  {
    name: 'Mistral',
    mark: /\[TOOL_CALLS\]/,
    format: { calls: calls({ section: { open: '[TOOL_CALLS]', close: '' }, body: { ...json, list: true } }) },
  },
  {
    name: 'Granite 3, Phi-4-mini',
    mark: /<\|tool_call\|>/,
    format: { calls: calls({ section: { open: '<|tool_call|>', close: '' }, body: { ...json, list: true } }) },
    otherOpens: ['<tool_call>'],
  },
  {
    name: 'functools',
    mark: /functools\[/,
    format: { calls: functools },
    otherOpens: ['functools'],
  },
  {
    name: 'GLM',
    mark: /<arg_key>/,
    format: {
      calls: calls({
        open: '<tool_call>',
        close: '</tool_call>',
        body: {
          kind: 'parameters',
          beforeName: [''],
          afterName: ['\n'],
          keyOpen: '<arg_key>',
          valueOpen: ['</arg_key>\n<arg_value>'],
          valueClose: '</arg_value>\n',
          spelling: 'json',
        },
      }),
    },
  },
  {
    name: 'Qwen3-Coder',
    mark: /<tool_call>\s*(?:\\n)?\s*<function=/,
    format: { calls: tagged('tool_call') },
  },
  {
    // SmolLM3's templates write no calls, and some not even tools: it was trained on these.
    name: 'Hermes, SmolLM3',
    mark: /<tool_call>|named SmolLM, trained/,
    format: { calls: calls({ open: '<tool_call>', close: '</tool_call>', body: json }) },
  },
  {
    name: 'Llama 3',
    mark: /<\|python_tag\|>/,
    format: { calls: calls({ several: false, body: { ...json, arguments: 'parameters' } }) },
    otherOpens: ['<|python_tag|>'],
    codeOpen: '<|python_tag|>',
  },
];
