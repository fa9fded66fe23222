// Bodies that one request may have or just not have, each as much work as its kind can be.

export const textOfMegabytes = (megabytes: number): string => 'one two three four '.repeat((megabytes * 1e6) / 19);

export const oneText = (content: string): string =>
  JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 1 });

const list = (count: number, item: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join();

const chat = (fields: string): readonly [path: string, body: string] => [
  '/v1/chat/completions',
  `{"messages":[{"role":"user","content":"a"}],"max_tokens":1,${fields}}`,
];

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
};
