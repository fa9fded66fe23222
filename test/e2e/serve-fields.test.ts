// Every field of docs/serving-fields.md, sent to both endpoints: honoured ones check their value, refused ones are named, the others
// pass. What honoured fields do is below.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, neverEnding, readEvents, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { contextTokens: 512 } });
  await server.ready;
});
afterAll(() => server.close());

const chatPath = '/v1/chat/completions';
const textPath = '/v1/completions';
const messages = [{ role: 'user', content: 'What is the capital of France?' }];
const paris = 'The capital of France is Paris.';

const rows = readFileSync(new URL('../../docs/serving-fields.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(' | '))
  .map(([field, , chat, completions, value]) => ({
    field: field!.slice(3, -1),
    on: { [chatPath]: chat!, [textPath]: completions! } as Readonly<Record<string, string>>,
    value: JSON.parse(value!.slice(1, -1)) as unknown,
  }));

describe.each([
  { path: chatPath, least: { messages } },
  { path: textPath, least: { prompt: 'a' } },
])('$path, field by field', ({ path, least }) => {
  it.each(rows.map((row) => ({ ...row, does: row.on[path]! })))(
    '$field = $value: $does',
    async ({ field, value, does }) => {
      const response = await server.post(path, { ...least, max_tokens: 1, [field]: value });
      const { error } = await response.json();
      const ignored = response.headers.get('x-quern-ignored');
      if (does === 'yes') expect(error).toMatchObject({ code: 'invalid_value' });
      if (does === '400') expect(error).toMatchObject({ code: 'unsupported_parameter', param: field });
      if (does === 'yes' || does === '400') {
        expect(response.status).toBe(400);
        expect(error.param.split('.')[0]).toBe(field.split('.')[0]);
        return;
      }
      expect(response.status, JSON.stringify(error)).toBe(200);
      if (does === 'no effect') expect(ignored).toBeNull();
    },
  );
});

it('says which fields nobody knows', async () => {
  const response = await server.post(chatPath, { messages, max_tokens: 1, top_q: 1, 'ä\n': 2 });
  expect(response.status).toBe(200);
  expect(response.headers.get('x-quern-ignored')).toBe('top_q, %C3%A4%0A');
});

it('tells of them whatever their letters are, halves of pairs too, and of so many as a header holds', async () => {
  const odd = Object.fromEntries(
    [`${'a'.repeat(62)}\u{1f600}`, '\ud800', ...Array(1000).keys()].map((name) => [`x${name}`, 1]),
  );
  const response = await server.post(chatPath, { messages, max_tokens: 1, ...odd });
  expect(response.status).toBe(200);
  const told = response.headers.get('x-quern-ignored')!.split(', ').map(decodeURIComponent);
  expect(told).toHaveLength(32);
  expect(told.slice(0, 2)).toEqual([`x${'a'.repeat(62)}\ufffd`, 'x\ufffd']);
});

it('looks at no more of a long list than it must', async () => {
  const before = process.cpuUsage();
  const wrong = { allowed_token_ids: Array(1_000_000).fill(-1) };
  const { error } = await (await server.post(chatPath, { messages, ...wrong })).json();
  expect(error).toMatchObject({ code: 'invalid_value', param: 'allowed_token_ids' });
  // Of client and server; every fault that is noted takes some microseconds.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(3);
});

const chat = async (body: object) => (await server.post(chatPath, { messages, temperature: 0, ...body })).json();
const contentOf = async (body: object): Promise<string> => (await chat(body)).choices[0].message.content;

describe('where a reply ends', () => {
  it.each(['max_tokens', 'max_completion_tokens', 'max_new_tokens', 'n_predict'])('%s', async (name) => {
    expect((await chat({ [name]: 2 })).usage.completion_tokens).toBe(2);
    expect(await contentOf({ [name]: -1 })).toBe(paris);
  });

  it('two lengths that differ: 400', async () => {
    expect((await chat({ max_tokens: 3, n_predict: 4 })).error).toMatchObject({ param: 'n_predict' });
  });

  it('stop_token_ids, with the token that ended it', async () => {
    const whole = await chat({ return_token_ids: true });
    const ids: number[] = whole.choices[0].token_ids;
    const at = 3;
    const body = { stop_token_ids: [ids[at]], return_token_ids: true };
    const [cut] = (await chat(body)).choices;
    expect(cut.token_ids).toEqual(ids.slice(0, ids.indexOf(ids[at]!)));
    expect(cut).toMatchObject({ finish_reason: 'stop', stop_reason: ids[at] });
    const [with_] = (await chat({ ...body, include_stop_str_in_output: true })).choices;
    expect(paris.startsWith(with_.message.content)).toBe(true);
    expect(with_.message.content.length).toBeGreaterThan(cut.message.content.length);
  });

  it('include_stop_str_in_output', async () => {
    expect(await contentOf({ stop: 'France' })).toBe('The capital of ');
    expect(await contentOf({ stop: 'France', include_stop_str_in_output: true })).toBe('The capital of France');
    expect((await chat({ stop: ['nothing', 'France'] })).choices[0].stop_reason).toBe('France');
  });

  it('t_max_predict_ms ends a text that has lines, and no other', async () => {
    const lines = { grammar: 'root ::= ("a\\n"){100}', t_max_predict_ms: 1 };
    expect((await chat(lines)).usage.completion_tokens).toBeLessThan(100);
    const line = await chat({ grammar: 'root ::= ("ab "){30}', t_max_predict_ms: 1 });
    expect(line.choices[0].message.content).toBe('ab '.repeat(30));
  });
});

describe('how a prompt ends', () => {
  it.each([
    ['continue_final_message', { continue_final_message: true }, {}],
    ['a message that is marked as Mistral’s and DeepSeek’s clients do', {}, { prefix: true }],
  ])('goes on with what was begun, as transformers renders it: %s', async (_, fields, mark) => {
    const begun = 'The capital of France';
    const body = { ...fields, messages: [...messages, { role: 'assistant', content: begun, ...mark }] };
    const reply = await chat({ ...body, return_token_ids: true });
    expect(begun + reply.choices[0].message.content).toBe(paris);
    const whole = await chat({ return_token_ids: true });
    expect(reply.prompt_token_ids.slice(0, whole.prompt_token_ids.length)).toEqual(whole.prompt_token_ids);
  });

  it('add_generation_prompt: false leaves the turn unopened', async () => {
    const open = await chat({ return_token_ids: true, max_tokens: 1 });
    const closed = await chat({ return_token_ids: true, max_tokens: 1, add_generation_prompt: false });
    const { length } = closed.prompt_token_ids;
    expect(length).toBeLessThan(open.prompt_token_ids.length);
    expect(open.prompt_token_ids.slice(0, length)).toEqual(closed.prompt_token_ids);
  });

  it('both at once, and nothing to go on with: 400', async () => {
    const both = { add_generation_prompt: true, continue_final_message: true };
    expect((await chat(both)).error).toMatchObject({ param: 'continue_final_message' });
    const turn = [...messages, { role: 'assistant', content: 'The', prefix: true }];
    const param = `messages.${turn.length - 1}.prefix`;
    expect((await chat({ messages: turn, add_generation_prompt: true })).error).toMatchObject({ param });
    expect((await chat({ messages: [...turn, ...messages] })).error).toMatchObject({ param });
  });
});

describe('what a reply must be, in vLLM’s words', () => {
  const schema = { type: 'object', properties: { a: { enum: [1, 2] } }, required: ['a'], additionalProperties: false };
  it.each([
    ['guided_json', { guided_json: schema }, /^\s*\{\s*"a"\s*:\s*[12]\s*\}\s*$/],
    ['guided_json as text', { guided_json: JSON.stringify(schema) }, /^\s*\{\s*"a"\s*:\s*[12]\s*\}\s*$/],
    ['guided_regex', { guided_regex: '[bc]{3}' }, /^[bc]{3}$/],
    ['guided_choice', { guided_choice: ['yes', 'no'] }, /^(yes|no)$/],
    ['guided_grammar', { guided_grammar: 'root ::= "x" [0-9]' }, /^x\d$/],
    ['structured_outputs.json', { structured_outputs: { json: schema } }, /^\s*\{\s*"a"\s*:\s*[12]\s*\}\s*$/],
    ['structured_outputs.regex', { structured_outputs: { regex: '[bc]{3}' } }, /^[bc]{3}$/],
    ['structured_outputs.choice', { structured_outputs: { choice: ['yes', 'no'] } }, /^(yes|no)$/],
    ['structured_outputs.grammar', { structured_outputs: { grammar: 'root ::= "x" [0-9]' } }, /^x\d$/],
  ])('%s, in a chat and in a text', async (_, fields, form) => {
    expect(await contentOf({ ...fields, temperature: 1, seed: 1 })).toMatch(form);
    const text = await (await server.post(textPath, { prompt: 'a', max_tokens: 64, seed: 2, ...fields })).json();
    expect(text.choices[0].text).toMatch(form);
  });

  it('two of them, or one that cannot be enforced: 400 with its name', async () => {
    expect((await chat({ guided_choice: ['a'], grammar: 'root ::= "b"' })).error.code).toBe('invalid_value');
    const { error } = await chat({ structured_outputs: { regex: '(a)\\1' } });
    expect(error).toMatchObject({ code: 'invalid_grammar', param: 'structured_outputs.regex' });
  });
});

describe('tokens', () => {
  it('a text in logit_bias: all its tokens', async () => {
    expect(await contentOf({ logit_bias: { ' Paris': false } })).not.toContain('Paris');
    expect(await contentOf({ logit_bias: [[' Paris', false]] })).not.toContain('Paris');
    expect(await contentOf({ logit_bias: { ' Paris': 0 } })).toBe(paris);
  });

  it('min_tokens: no end before, neither of the model’s turn nor a text', async () => {
    const whole = await chat({});
    const least = whole.usage.completion_tokens + 4;
    const longer = await chat({ min_tokens: least, max_tokens: 60, return_token_ids: true });
    expect(longer.usage.completion_tokens).toBeGreaterThanOrEqual(least);
    expect(longer.choices[0].message.content.startsWith(paris)).toBe(true);
    expect(await contentOf({ stop: 'capital', min_tokens: 5 })).toBe(paris);
    expect((await chat({ min_tokens: 5, max_tokens: 4 })).error).toMatchObject({ param: 'min_tokens' });
  });

  it('allowed_token_ids and bad_words', async () => {
    const whole = await chat({ return_token_ids: true });
    const some: number[] = whole.choices[0].token_ids.slice(0, 3);
    const only = await chat({ allowed_token_ids: some, max_tokens: 12, return_token_ids: true });
    expect(only.choices[0].token_ids).toHaveLength(12);
    expect(only.choices[0].token_ids.every((id: number) => some.includes(id))).toBe(true);
    expect((await chat({ allowed_token_ids: [4096] })).error).toMatchObject({ param: 'allowed_token_ids' });
    const other = await contentOf({ bad_words: ['Paris', 'capital of'] });
    expect(other).not.toMatch(/Paris|capital of/);
    expect(await contentOf({ bad_words: ['Berlin'] })).toBe(paris);
  });

  it('skip_special_tokens: false shows them', async () => {
    const prompt = expectedChats[0]!.ids;
    const text = async (fields: object): Promise<string> =>
      (
        await (
          await server.post(textPath, { prompt, max_tokens: 60, temperature: 0, ...neverEnding, ...fields })
        ).json()
      ).choices[0].text;
    const forced = { guided_grammar: 'root ::= "a" <|im_start|> "b"', logit_bias: undefined };
    expect(await text(forced)).toBe('ab');
    expect(await text({ ...forced, skip_special_tokens: false })).toBe('a<|im_start|>b');
  });

  it('return_token_ids and timings_per_token, streamed as whole', async () => {
    const body = { return_token_ids: true, timings_per_token: true };
    const whole = await chat(body);
    expect(whole.timings).toMatchObject({ predicted_n: whole.usage.completion_tokens });
    const response = await server.post(chatPath, { messages, temperature: 0, ...body, stream: true });
    const events = await readEvents(response);
    expect(events[0].prompt_token_ids).toEqual(whole.prompt_token_ids);
    expect(events.flatMap((event) => event.choices[0]?.token_ids ?? [])).toEqual(whole.choices[0].token_ids);
    expect(events.map((event) => event.timings?.predicted_n ?? 0)).toContain(3);
  });

  it.each([
    { path: chatPath, prompt: { messages } },
    { path: textPath, prompt: { prompt: 'In the beginning' } },
  ])('continuous_usage_stats on $path: each chunk has what it took so far, the last has all', async (row) => {
    const body = { ...row.prompt, max_tokens: 4, ...neverEnding, stream: true };
    const read = async (options: object) =>
      readEvents(await server.post(row.path, { ...body, stream_options: options, echo: row.path === textPath }));
    const events = await read({ include_usage: true, continuous_usage_stats: true });
    const counts = events.map(({ usage }) => usage.completion_tokens);
    expect(counts[0]).toBe(0);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 4 }, timings: { predicted_n: 4 } });
    const [{ usage }] = events;
    expect(events.every((event) => event.usage.prompt_tokens === usage.prompt_tokens)).toBe(true);
    // Alone it asks for nothing.
    const without = await read({ continuous_usage_stats: true });
    expect(without.some((event) => event.usage)).toBe(false);
    expect(without.at(-1).timings).toMatchObject({ predicted_n: 4 });
  });

  it('return_tokens_as_token_ids names tokens by their ids, those of a prompt too', async () => {
    const named = { logprobs: 1, return_tokens_as_token_ids: true, return_token_ids: true };
    const body = { prompt: 'In the beginning', max_tokens: 3, echo: true, ...named };
    const [choice] = (await (await server.post(textPath, body)).json()).choices;
    const ids = (tokens: string[]) => tokens.map((token) => Number(/^token_id:(\d+)$/.exec(token)![1]));
    expect(ids(choice.logprobs.tokens)).toEqual([...choice.prompt_token_ids, ...choice.token_ids]);
    expect(choice.logprobs.top_logprobs.slice(1).every((row: object) => ids(Object.keys(row)).length > 0)).toBe(true);
    const reply = await chat({ ...named, logprobs: true, top_logprobs: 2, max_tokens: 3 });
    const { content } = reply.choices[0].logprobs;
    expect(ids(content.map(({ token }: { token: string }) => token))).toEqual(reply.choices[0].token_ids);
  });
});
