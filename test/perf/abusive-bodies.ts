// Bodies that one request may have or just not have, each as much work as its kind can be.

export const textOfMegabytes = (megabytes: number): string => 'one two three four '.repeat((megabytes * 1e6) / 19);

export const oneText = (content: string): string =>
  JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 1 });

const list = (count: number, item: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join();

const texts = (count: number, length: number): string =>
  `[${list(count, (i) => `"${i} ${'one two three four '.repeat(length / 19)}"`)}]`;

/** @param more messages */
const chat = (fields: string, more = ''): readonly [path: string, body: string] => [
  '/v1/chat/completions',
  `{"messages":[{"role":"user","content":"a"}${more && `,${more}`}],"max_tokens":1,${fields}}`,
];

/** An earlier turn. @param items as a text in a text */
const call = (items: string): string =>
  `{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\\"a\\":[${items}]}"}}]}`;

const MB = 1e6;

export const largeBodies: Readonly<Record<string, () => readonly [path: string, body: string]>> = {
  'one text of 15 MB': () => ['/v1/chat/completions', oneText(textOfMegabytes(15))],
  '15 MB of blanks': () => chat(`${' '.repeat(15 * MB)}"n":1`),
  '15 MB of escapes': () => chat(`"user":"${'\\"'.repeat(7.5 * MB)}"`),
  '15 MB of two and three bytes a character': () => chat(`"user":"${'é世'.repeat(3 * MB)}"`),
  '260,000 different keys': () => chat(`"metadata":{${list(260_000, (i) => `"k${i}":1`)}}`),
  '16,000 different keys': () => chat(`"metadata":{${list(16_000, (i) => `"k${i}":1`)}}`),
  '260,000 texts': () => ['/v1/embeddings', `{"input":[${list(260_000, (i) => `"s${i}"`)}]}`],
  'biases of 256,000 tokens': () => chat(`"logit_bias":{${list(256_000, (i) => `"${i}":-0.5`)}}`),
  'biases of 2000 tokens': () => chat(`"logit_bias":{${list(2000, (i) => `"${i}":-0.5`)}}`),
  '14 MB of numbers': () => ['/v1/completions', `{"prompt":[${list(7 * MB, () => '1')}],"max_tokens":1}`],
  '1,000,000 tokens': () => ['/v1/completions', `{"prompt":[${list(MB, (i) => `${i % 999}`)}],"max_tokens":1}`],
  '50,000 messages': () => [
    '/v1/chat/completions',
    `{"messages":[${list(50_000, (i) => `{"role":"user","content":"${i}"}`)}],"max_tokens":1}`,
  ],
  '85,000 empty tools': () => chat(`"tools":[${list(85_000, () => '{"type":"function"}')}]`),
  '30,000 tools': () => chat(`"tools":[${list(30_000, (i) => `{"type":"function","function":{"name":"f${i}"}}`)}]`),
  '15 MB that are no JSON': () => ['/v1/chat/completions', `{"messages":${'[1,'.repeat(5 * MB)}`],
  '1,000,000 lists in lists': () => ['/v1/chat/completions', '['.repeat(MB)],
  '15 MB in 256 prompts': () => ['/v1/completions', `{"prompt":${texts(256, 58_000)},"max_tokens":1}`],
  '15 MB in 900 texts': () => ['/tokenize', `{"content":${texts(900, 16_000)}}`],
  'pieces of 15 MB': () => ['/tokenize', `{"content":${JSON.stringify(textOfMegabytes(15))},"with_pieces":true}`],
  'biases of 57,000 texts': () => chat(`"logit_bias":[${list(57_000, (i) => `["${i}${'x'.repeat(240)}",1]`)}]`),
  '64 breakers': () => chat(`"dry_multiplier":1,"dry_sequence_breakers":[${list(64, (i) => `"${i}é世"`)}]`),
  '15 MB of letters of samplers': () => chat(`"samplers":"${'k'.repeat(15 * MB)}"`),
  '256 prompts with 128 replies': () => ['/v1/completions', `{"prompt":[${list(256, (i) => `"${i}"`)}],"n":128}`],
  '25,000 tools, one of which must be called': () =>
    chat(
      `"tool_choice":"required","tools":[${list(25_000, (i) => `{"type":"function","function":{"name":"f${i}"}}`)}]`,
    ),
  'arguments of 2000 calls': () =>
    chat(
      `"tools":[]`,
      list(2000, () => call(list(500, () => '\\"s\\"'))),
    ),
};
