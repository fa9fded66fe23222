// Long prompts and conversations: what cannot fit is refused before any work, and what has to be encoded or rendered is not worked on where
// other clients are answered.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { loadServedModel } from '@quern/serve-command/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.ready;
});
afterAll(() => server.close());

const errorOf = async (response: Response) => ({ status: response.status, ...(await response.json()).error });
const [chat, completions] = ['/v1/chat/completions', '/v1/completions'];
const megabytes = (count: number): string => 'one two three four '.repeat((count * 2 ** 20) / 19);

const noThreadTimes = process.platform !== 'linux' && 'the processor time of a thread is read from /proc';
if (noThreadTimes) console.warn(`Skipping the longest turn: ${noThreadTimes}`);

describe('a prompt whose bytes cannot fit', () => {
  const long = megabytes(15);
  it.each([
    ['chat', chat, { messages: [{ role: 'user', content: long }] }, 'messages'],
    ['text', completions, { prompt: long }, 'prompt'],
  ])('%s: 400 with both numbers, and nothing is encoded', async (_, path, body, param) => {
    const { texts, tokenizer } = await server.ready;
    const error = await errorOf(await server.post(path, body));
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', param });
    const [bytes, context, most] = [...error.message.matchAll(/\d+/g)].map(Number);
    expect(bytes).toBeGreaterThan(12_000_000);
    expect(context).toBe(2048);
    expect(most).toBe(2048 * tokenizer.longestToken);
    expect(texts.isStarted).toBe(false);
  });

  it.skipIf(noThreadTimes !== false)('twenty at once: none holds others up', async () => {
    // Made once: the clients work on this thread too.
    const body = Buffer.from(JSON.stringify({ prompt: long }));
    const ask = async () => {
      const asking = request(server.url + completions, { method: 'POST' }).end(body);
      const [response] = await once(asking, 'response');
      return ((await json(response)) as { error: { code: string } }).error.code;
    };
    const all = Promise.all(Array.from({ length: 20 }, ask));
    const [codes, longest] = await Promise.all([all, longestTurn(all)]);
    expect(new Set(codes)).toEqual(new Set(['context_length_exceeded']));
    // Encoding one of the prompts takes seconds, and checking all of them in one go does so as well.
    expect(longest).toBeLessThan(250);
    expect((await server.ready).texts.isStarted).toBe(false);
  });
});

/** The most that this thread does between two turns of its event loop until `work` is done: milliseconds of processor time. */
async function longestTurn(work: Promise<unknown>): Promise<number> {
  const workedMs = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  let going = true;
  const end = (): void => void (going = false);
  work.then(end, end);
  let longest = 0;
  for (let before = workedMs(); going; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = workedMs();
    longest = Math.max(longest, now - before);
    before = now;
  }
  return longest;
}

describe('a prompt that is longer than the context, of every API', () => {
  const content = 'word '.repeat(3000);
  const messages = [{ role: 'user', content }];
  it.each([
    ['/v1/messages', { max_tokens: 4, messages }],
    ['/v1/responses', { input: content, truncation: 'disabled' }],
    ['/api/chat', { model: 'tiny-llama', messages, options: { num_ctx: 2048 } }],
    ['/api/generate', { model: 'tiny-llama', prompt: content, truncate: true, shift: true }],
    ['/completion', { prompt: content, n_keep: 4 }],
  ])('%s: 400 with both numbers', async (path, body) => {
    const response = await server.post(path, body);
    expect(response.status).toBe(400);
    const numbers = [...(await response.text()).matchAll(/\d+/g)].map(Number);
    expect(numbers).toContain(2048);
    expect(Math.max(...numbers)).toBeGreaterThanOrEqual(3000);
  });
});

describe('a text that has to be encoded', () => {
  /** Whether the event loop ran while `work` was under way: a thread that encodes here would hold it up. */
  async function turnsDuring(work: Promise<unknown>): Promise<number> {
    let turns = 0;
    let going = true;
    void work.finally(() => (going = false));
    while (going) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    return turns;
  }

  it('is encoded on another thread, to the same tokens', async () => {
    const { texts, tokenizer } = await server.ready;
    const text = `${'Grüße, 世界! '.repeat(40_000)}<|im_end|>`;
    const options = { addSpecial: true, parseSpecial: true };
    const encoding = texts.encode([text], options, new AbortController().signal);
    expect(await turnsDuring(encoding)).toBeGreaterThan(100);
    expect(await encoding).toEqual([tokenizer.encode(text, options)]);
  });

  it('is refused with its tokens when these do not fit', async () => {
    // Blanks prove nothing by their bytes.
    const error = await errorOf(await server.post(completions, { prompt: ' \n'.repeat(200_000) }));
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    expect(error.message).toMatch(/has \d{6} tokens; the maximum context length is 2048 tokens/);
  });

  it('a long prompt that fits is answered as a short one is', async () => {
    const model = await server.ready;
    const prompt = Array.from({ length: 900 }, (_, i) => `word${i} and some more words\n`).join('');
    const large = await startTestServer({ model: { contextTokens: 2048 } });
    await large.ready;
    const ids = [...model.tokenizer.encode(prompt, { addSpecial: true, parseSpecial: true })];
    const error = await errorOf(await large.post(completions, { prompt }));
    expect(error.message).toContain(`has ${ids.length} tokens`);
    await large.close();
  });

  it('leaves the queue when its client leaves', async () => {
    const { texts } = await server.ready;
    const signal = new AbortController().signal;
    const text = 'abc '.repeat(500_000);
    const leaving = new AbortController();
    const first = texts.encode([text], {}, signal);
    const second = texts.encode([text], {}, leaving.signal);
    const third = texts.encode(['abc'], {}, signal);
    leaving.abort();
    await expect(second).rejects.toThrow(/abort/i);
    expect((await first)[0]!.length).toBeGreaterThan(500_000);
    expect((await third)[0]!.length).toBeGreaterThan(0);
  });

  it('a thread that dies is replaced', async () => {
    const { texts } = await server.ready;
    const { signal } = new AbortController();
    const lost = texts.encode(['abc '.repeat(500_000)], {}, signal);
    await Promise.all([expect(lost).rejects.toMatchObject({ code: 'text-thread-ended' }), texts.close()]);
    expect((await texts.encode(['abc'], {}, signal))[0]!.length).toBeGreaterThan(0);
  });
});

describe('a conversation of many messages', () => {
  it('is rendered on another thread, to the same text', async () => {
    const { texts, tokenizer } = await loadServedModel(tinyLlama, { threads: 1, contextTokens: 64 }).then(
      async (model) => {
        await model.close();
        return model;
      },
    );
    const { renderChat } = await import('@quern/tokenizer');
    const messages = Array.from({ length: 3000 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `${i}` }));
    const options = { template: tokenizer.chatTemplate!, messages, addGenerationPrompt: true };
    expect(await texts.render(options, new AbortController().signal)).toBe(renderChat(options));
    await texts.close();
  });

  it('what the template refuses is the client’s fault there too', async () => {
    // Fewer parts than a body may have (262,144 lists, objects, keys and texts): the template is what refuses.
    const messages = Array.from({ length: 50_000 }, () => ({ role: 'user', content: 'x' }));
    const error = await errorOf(await server.post(chat, { messages }));
    expect(error.status).toBe(400);
    expect(['context_length_exceeded', 'chat_template_runaway', 'chat_template_refused']).toContain(error.code);
  });
});
