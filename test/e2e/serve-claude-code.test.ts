// Requests in the shapes that Claude Code sends: its fields, headers and tools (schemas with patterns), and the line with a
// changing number at the head of its system prompt, which must not cost the second turn the cache of the first. What 2.1.332
// sends was recorded between it and this server: instructions behind the question, tools that wait until a search finds them.
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
let client: Anthropic;
beforeAll(async () => {
  server = await startTestServer();
  await server.ready;
  client = new Anthropic({
    baseURL: server.url,
    authToken: 'any',
    maxRetries: 0,
    defaultQuery: { beta: 'true' },
    defaultHeaders: {
      'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27',
      'x-app': 'cli',
    },
  });
});
afterAll(() => server.close());

type Body = Anthropic.MessageCreateParamsNonStreaming;
const cached = { cache_control: { type: 'ephemeral' as const } };
const objectOf = (properties: object, required: string[] = Object.keys(properties)) => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  properties,
  required,
  additionalProperties: false,
});

const tools = [
  {
    name: 'Bash',
    description: 'Runs a command.',
    input_schema: objectOf({ command: { type: 'string' }, timeout: { type: 'number', maximum: 600000 } }, ['command']),
  },
  {
    name: 'Artifact',
    description: 'Publishes a page.',
    input_schema: objectOf(
      {
        file_path: { type: 'string', maxLength: 65536 },
        labels: { type: 'array', items: { type: 'string', pattern: '^[\\w\\-\\/]+\\.\\d{1,3}$' }, maxItems: 5 },
        icon: { type: 'string', pattern: '^(?!http)' },
      },
      ['file_path'],
    ),
  },
  ...['Read', 'Write', 'Edit', 'Glob', 'Grep', 'WebFetch', 'TodoWrite'].map((name) => ({
    name,
    description: `${name} of files.`,
    input_schema: objectOf({ path: { type: 'string' } }),
  })),
];

/** Arguments that cannot go on and on. */
const patterned = objectOf({
  label: { type: 'string', pattern: '^[\\w\\-\\/]{1,20}\\.\\d{1,3}$', maxLength: 65536 },
  icon: { type: 'string', pattern: '^(?!http)[a-z]{1,8}$' },
});

/** @param head what stands before everything in the system prompt */
const turn = (head: string, messages: Body['messages'], more: object = {}): Body =>
  ({
    model: 'tiny-llama',
    max_tokens: 32000,
    temperature: 0,
    system: [
      { type: 'text', text: head },
      { type: 'text', text: 'You are a command line tool that helps with software.', ...cached },
      { type: 'text', text: 'Be short. Use the tools.\n\nWorking directory: /home/lily', ...cached },
    ],
    messages,
    tools,
    metadata: { user_id: 'user_0a1b_account__session_5f2c' },
    thinking: { type: 'enabled', budget_tokens: 31999 },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    ...more,
  }) as Body;

const billing = (nonce: string) =>
  `x-anthropic-billing-header: cc_version=2.1.37.fbe; cc_entrypoint=cli; cch=${nonce};`;
const firstMessages: Body['messages'] = [
  {
    role: 'user',
    content: [
      { type: 'text', text: '<system-reminder>\nToday is Sunday.\n</system-reminder>\n' },
      { type: 'text', text: 'What is the capital of France?', ...cached },
    ],
  },
];
const promptTokens = ({ usage }: Anthropic.Message) => usage.input_tokens + usage.cache_read_input_tokens!;

/** Two turns of a conversation, as a stream each. */
async function converse(head: (turn: number) => string): Promise<[Anthropic.Message, Anthropic.Message]> {
  const one = await client.messages.stream(turn(head(1), firstMessages, { max_tokens: 16 })).finalMessage();
  const two = await client.messages
    .stream(
      turn(
        head(2),
        [...firstMessages, { role: 'assistant', content: one.content }, { role: 'user', content: 'And of Italy?' }],
        { max_tokens: 16 },
      ),
    )
    .finalMessage();
  return [one, two];
}

describe('Claude Code', () => {
  it('finds the first turn in the cache in the second, whatever its billing header says', async () => {
    const nonces = ['', 'a112b', 'ffe07'];
    const [one, two] = await converse((at) => billing(nonces[at]!));
    expect(promptTokens(one)).toBeGreaterThan(500);
    expect(two.usage.cache_read_input_tokens).toBeGreaterThanOrEqual(promptTokens(one));
    expect(two.usage.input_tokens).toBeLessThan(60);
  });

  it('pays for any other line that changes: what the test above measures', async () => {
    const [one, two] = await converse((at) => `a number: ${at}${at}${at}`);
    expect(two.usage.cache_read_input_tokens).toBeLessThan(promptTokens(one) / 2);
  });

  it('sends the header in a system prompt that is one text, too', async () => {
    const rest = 'You are a command line tool.';
    const count = async (system: string) =>
      (await client.messages.countTokens({ model: 'tiny-llama', messages: firstMessages, system })).input_tokens;
    expect(await count(`${billing('a112b')}\n${rest}`)).toBe(await count(rest));
  });

  it('gets a title held to its schema', async () => {
    const format = { type: 'json_schema', schema: objectOf({ title: { type: 'string', maxLength: 40 } }) };
    const message = await client.messages
      .stream(turn(billing('00000'), firstMessages, { tools: [], output_config: { effort: 'high', format } }))
      .finalMessage();
    expect(JSON.parse((message.content[0] as Anthropic.TextBlock).text)).toEqual({ title: expect.any(String) });
  });

  it.each([
    { type: 'adaptive' },
    { type: 'disabled' },
    ...['omitted', 'updates', 'highlights'].map((display) => ({ type: 'adaptive', display })),
  ])('may ask for thinking as %j of a model that does not think', async (thinking) => {
    const message = await client.messages.create(turn(billing('1'), firstMessages, { thinking, max_tokens: 4 }));
    expect(message.stop_reason).toBe('max_tokens');
  });

  it('counts its tokens', async () => {
    const { max_tokens: _, metadata: __, ...body } = turn(billing('2'), firstMessages);
    const { input_tokens } = await client.messages.countTokens(body as never);
    const message = await client.messages.create(turn(billing('3'), firstMessages, { max_tokens: 1 }));
    expect(input_tokens).toBe(promptTokens(message));
  });

  it('finds its model in a list of Anthropic’s form, where others get OpenAI’s', async () => {
    const { data, has_more: hasMore } = await client.models.list({ limit: 1000 });
    expect(data).toMatchObject([
      { type: 'model', id: 'tiny-llama', display_name: 'tiny-llama', max_input_tokens: 2048 },
    ]);
    expect(hasMore).toBe(false);
    expect(await client.models.retrieve('tiny-llama')).toEqual(data[0]);
    await expect(client.models.retrieve('other')).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    });
    const { object } = await (await fetch(`${server.url}/v1/models`)).json();
    expect(object).toBe('list');
  });

  it('is offered tools whose arguments must be as their patterns say, and long texts', async () => {
    const message = await client.messages.create(
      turn(billing('4'), firstMessages, {
        ...{ max_tokens: 400, thinking: undefined, tool_choice: { type: 'tool', name: 'Artifact' } },
        tools: tools.map((tool) => (tool.name === 'Artifact' ? { ...tool, input_schema: patterned } : tool)),
      }),
    );
    const [call] = message.content.filter((block) => block.type === 'tool_use');
    const { label, icon } = call!.input as { label: string; icon: string };
    expect(label).toMatch(/^[\w\-/]+\.\d{1,3}$/);
    expect(icon).toMatch(/^(?!http)[a-z]{1,8}$/);
  });
});

const waiting = (name: string) => ({
  name,
  description: `${name} of pages.`,
  input_schema: objectOf({ url: { type: 'string', maxLength: 20 } }),
  defer_loading: true,
});
const search = {
  name: 'ToolSearch',
  description: 'Finds tools.',
  input_schema: objectOf({ query: { type: 'string' } }),
};
const found = (...names: string[]): Body['messages'] => [
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'ToolSearch', input: { query: 'pages' } }] },
  {
    role: 'user',
    content: [
      {
        type: 'tool_result',
        tool_use_id: 'toolu_1',
        content: names.map((name) => ({ type: 'tool_reference', tool_name: name })),
        ...cached,
      },
    ],
  },
];
/** Of the kinds that the client's types keep for its beta. */
const system = (content: unknown, more: object = {}) =>
  ({ role: 'system', content, ...more }) as unknown as Body['messages'][number];
const count = async (messages: Body['messages'], more: object = {}) =>
  (await client.messages.countTokens({ model: 'tiny-llama', messages, ...more } as never)).input_tokens;

describe('Claude Code’s tools that wait', () => {
  const offered = [search, waiting('WebSearch'), waiting('CronList'), ...tools];
  const choosing = (name: string) => ({
    tools: offered,
    thinking: undefined,
    tool_choice: { type: 'tool', name, disable_parallel_tool_use: true },
    max_tokens: 200,
  });

  it('are not offered until a result of its search names them', async () => {
    const without = offered.filter((tool) => !('defer_loading' in tool));
    expect(await count(firstMessages, { tools: offered })).toBe(await count(firstMessages, { tools: without }));
    const body = turn(billing('5'), firstMessages, choosing('WebSearch'));
    await expect(client.messages.create(body)).rejects.toMatchObject({ status: 400 });
    const message = await client.messages.create({ ...body, messages: [...firstMessages, ...found('WebSearch')] });
    expect(message.content).toMatchObject([
      { type: 'tool_use', name: 'WebSearch', input: { url: expect.any(String) } },
    ]);
    await expect(
      client.messages.create({ ...body, messages: [...firstMessages, ...found('WebSearch', 'Other')] }),
    ).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('messages.2.content.0.content.1.tool_name'),
    });
  });

  it('come behind the others, so that what stands before them stays in the cache', async () => {
    const ask = (messages: Body['messages']) =>
      client.messages.create(turn(billing('6'), messages, { tools: offered, max_tokens: 1 }));
    const one = await ask(firstMessages);
    const two = await ask([...firstMessages, ...found('WebSearch')]);
    // All but the question and what opens the reply.
    expect(two.usage.cache_read_input_tokens).toBeGreaterThan(promptTokens(one) - (await count(firstMessages)) - 100);
  });

  it('are added and removed by instructions, too', async () => {
    const reference = (name: string) => ({ type: 'tool_reference', name });
    const define = { type: 'tool_definition', definition: { ...waiting('Late'), defer_loading: undefined } };
    const after = (...content: object[]) => [...firstMessages, system(content)];
    const create = (messages: Body['messages'], name: string) =>
      client.messages.create(turn(billing('7'), messages, choosing(name)));
    for (const [tool, name] of [
      [reference('CronList'), 'CronList'],
      [define, 'Late'],
    ] as const) {
      const { content } = await create(after({ type: 'tool_addition', tool }), name);
      expect(content).toMatchObject([{ type: 'tool_use', name }]);
    }
    const removed = after({ type: 'tool_removal', tool: reference('Bash') });
    await expect(create(removed, 'Bash')).rejects.toMatchObject({ status: 400 });
    await expect(create(after({ type: 'tool_removal', tool: reference('x') }), 'Bash')).rejects.toMatchObject({
      message: expect.stringContaining('messages.1.content.0.tool.name'),
    });
  });
});

describe('Claude Code’s instructions behind the question', () => {
  const text = 'Primary working directory: /home/lily';

  it('reach a model whose template reads a system prompt from the first message alone', async () => {
    const joined: Body['messages'] = [{ role: 'user', content: `Hello.\n\n${text}` }];
    const more = { system: 'Be short.' };
    const blocks = [{ type: 'text', text, ...cached }];
    const behind = [{ role: 'user' as const, content: 'Hello.' }, system(blocks, { output_config: { effort: 'low' } })];
    expect(await count(behind, more)).toBe(await count(joined, more));
    const { content } = await client.messages.create(turn(billing('8'), behind, { max_tokens: 1 }));
    expect(content).toHaveLength(1);
  });

  it('are gone with the next user message where they say so, and may be an effort alone', async () => {
    const hello = { role: 'user' as const, content: 'Hello.' };
    const answer = { role: 'assistant' as const, content: 'Hi.' };
    const brief = system(text, { clear_at: 'next_user_message' });
    expect(await count([hello, brief])).toBeGreaterThan(await count([hello]));
    expect(await count([hello, brief, answer, hello])).toBe(await count([hello, answer, hello]));
    expect(await count([hello, system(undefined, { output_config: { effort: 'high' } })])).toBe(await count([hello]));
  });
});
