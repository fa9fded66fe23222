// What no model can be created of: refused by its field, and nothing stays.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  blobs,
  client,
  create,
  digest,
  digestOf,
  folder,
  gguf,
  names,
  refusal,
  send,
  sent,
  server,
} from './fixture.ts';

describe('what cannot be is refused by its field, and leaves nothing', () => {
  const go = '{{ if .System }}<|system|>{{ .System }}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}';
  it.each([
    ['template', { template: go }, /language of Go.*Jinja/],
    ['template', { template: '{% for m in messages %}' }, /does not parse/],
    ['template', { template: '[INST]' }, /does not write what the messages say/],
    ['parameters.temperature', { parameters: { temperature: -1 } }, /temperature/],
    ['parameters', { parameters: { draft_num_predict: 4 } }, /draft_num_predict/],
    ['messages.0.role', { messages: [{ role: 'pirate', content: 'Aye' }] }, /role/],
    ['quantize', { quantize: 'q9_K' }, /no file type.*Did you mean/s],
    ['quantize', { quantize: 'iq1_s' }, /importance matrix/],
    ['from', { from: 'nobody' }, /not served here/],
    ['files', { files: { 'a.gguf': digest } }, /not both/],
    ['adapters.a', { adapters: { a: `sha256:${'3'.repeat(64)}` } }, /Send it first/],
    ['adapters.a', { adapters: { a: '../../x' } }, /no digest/],
    ['adapters.a', { adapters: { a: digest } }, /no adapter/],
    ['modelfile', { modelfile: 'FROM tiny' }, /quern create/],
    ['renderer', { renderer: 'qwen3' }, /template/],
    ['model', { model: '../../x' }, /no name/],
    ['model', { model: 'a b' }, /no name/],
    ['model', { model: `${'x'.repeat(300)}` }, /no name/],
    ['model', { model: 'tiny' }, /already/],
  ])('%s: %j', async (param, body, error) => {
    const known = await names();
    const told = await refusal({ model: 'refused', from: 'tiny', ...body });
    expect(told).toMatchObject({ error: expect.stringMatching(error), param: param === 'from' ? 'model' : param });
    expect(told).toMatchObject({ status: param === 'from' ? 404 : 400 });
    expect(JSON.stringify(told)).not.toContain(folder);
    expect(await names()).toEqual(known);
  });

  it('texts without end', async () => {
    const license = 'x'.repeat(600_000);
    expect((await create({ model: 'wordy', from: 'tiny', license })).status).toBe(200);
    const more = await refusal({ model: 'wordier', from: 'wordy', license: `${license}y` });
    expect(more).toMatchObject({ status: 400, error: expect.stringMatching(/1048576/) });
    await client.delete({ model: 'wordy' });
  });

  it('a client that goes away while weights are quantized leaves all of it or nothing', async () => {
    const before = sent();
    const leaving = new AbortController();
    const body = JSON.stringify({ model: 'left', from: 'tiny', quantize: 'q3_K_L' });
    const response = await fetch(`${server.url}/api/create`, { method: 'POST', body, signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    await expect.poll(() => sent().filter((name) => name.includes('.partial'))).toEqual([]);
    const isThere = (await names()).includes('left');
    if (isThere) await client.delete({ model: 'left' });
    // Of a file without a model nobody would know.
    await expect.poll(sent).toEqual(before);
  });

  it('a file that is no model', async () => {
    const junk = Buffer.from('nothing of the kind');
    expect((await send(digestOf(junk), junk)).status).toBe(201);
    expect(await refusal({ model: 'junk', files: { 'junk.gguf': digestOf(junk) } })).toMatchObject({
      ...{ status: 400, error: expect.stringMatching(/not GGUF/), param: 'files' },
    });
    expect(await refusal({ model: 'junk' })).toMatchObject({ status: 400, param: 'from' });
    const cut = gguf.subarray(0, 100_000);
    await send(digestOf(cut), cut);
    expect(await refusal({ model: 'junk', files: { 'cut.gguf': digestOf(cut) } })).toMatchObject({ status: 400 });
    rmSync(join(blobs, digestOf(junk).replace(':', '-')));
    rmSync(join(blobs, digestOf(cut).replace(':', '-')));
  });
});
