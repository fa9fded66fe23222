// Models of files that were sent, quantized or with adapters: they survive the server, and their files go with the last that needs them.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openGgufModel } from '@quern/checkpoint';
import { conversionType, planConversion, writeModel } from '@quern/kquant';
import { adapterView, openModel, openPeftAdapter } from '@quern/models';
import { OpenAI } from 'openai';
import { describe, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../../adapter-folder.ts';
import { tinyLlama } from '../serve-fixture.ts';
import {
  blobs,
  cache,
  client,
  create,
  digest,
  digestOf,
  folder,
  gguf,
  greedy,
  hello,
  models,
  names,
  refusal,
  send,
  sent,
  server,
  start,
} from './fixture.ts';

describe('files of its own', () => {
  it('a model of a sent file answers as the model of the same file', async () => {
    expect((await create({ model: 'sent', files: { 'tiny.gguf': digest } })).status).toBe(200);
    const asked = { messages: [hello], options: greedy };
    const [own, base] = await Promise.all(['sent', 'tiny'].map((model) => client.chat({ model, ...asked })));
    expect(own!.message).toEqual(base!.message);
  });

  it('quantizes to the bytes of llama-quantize', async () => {
    const states: { status: string; total?: number; completed?: number }[] = [];
    const response = await create({ model: 'small', from: 'tiny', quantize: 'q4_K_M', stream: true });
    for (const line of (await response.text()).trim().split('\n')) states.push(JSON.parse(line));
    expect(states.at(-1)!.status).toBe('success');
    expect(states.some(({ status, total = 0, completed = 0 }) => /Q4_K_M/.test(status) && completed <= total)).toBe(
      true,
    );
    const [file] = sent().filter((name) => name !== digest.replace(':', '-'));
    const model = await openGgufModel(join(blobs, file!));
    const recorded = readFileSync(`${tinyLlama}/expected/quantize.tsv`, 'utf8').split('\n');
    const rows = recorded.map((row) => row.split('\t')).filter(([type, by]) => type === 'Q4_K_M' && by === 'none');
    expect(rows.length).toBe(model.tensors.size);
    for (const [, , name, type, hash] of rows) {
      const tensor = model.tensors.get(name!)!;
      const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
      await tensor.readRows(0, tensor.rows, bytes);
      expect([name, tensor.dtype.name, createHash('sha256').update(bytes).digest('hex')]).toEqual([name, type, hash]);
    }
    await model.close();
    expect((await client.generate({ model: 'small', prompt: 'Hi', options: greedy })).done).toBe(true);
    expect(await refusal({ model: 'again', from: 'small', quantize: 'q4_0' })).toMatchObject({
      ...{ status: 400, param: 'quantize', error: expect.stringMatching(/already quantized/) },
    });
  });

  it('adapters are applied, and those of another model refused', async () => {
    const base = await openModel(join(models, 'tiny.gguf'));
    const lora = async (name: string, config: object): Promise<Buffer> => {
      const dir = writeAdapterFolder(join(folder, name), { peft_type: 'LORA', r: 2, lora_alpha: 40, ...config }, [
        knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_A.weight', [2, 256], 1),
        knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_B.weight', [768, 2], 2),
      ]);
      const adapter = await openPeftAdapter(dir, base);
      const view = await adapterView(adapter, base);
      const out = join(folder, `${name}.gguf`);
      await writeModel(view, planConversion(view, conversionType('F32')!), out, { threads: 1 });
      await adapter.close();
      return readFileSync(out);
    };
    const fitting = await lora('fitting', {});
    await base.close();
    await send(digestOf(fitting), fitting);
    await client.create({ model: 'tuned', from: 'tiny', adapters: { 'lora.gguf': digestOf(fitting) } });
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
    const asked = { prompt: 'In the beginning', max_tokens: 4, temperature: 0, logprobs: 0 };
    const logprobs = async (): Promise<number[]> =>
      (await openai.completions.create({ model: 'tuned', ...asked })).choices[0]!.logprobs!.token_logprobs!;
    const tuned = await logprobs();
    const plain = (await openai.completions.create({ model: 'tiny', ...asked })).choices[0]!.logprobs!.token_logprobs!;
    expect(tuned).not.toEqual(plain);
    // The same adapter for all models, as the server's flags give it.
    await server.close();
    await start({ lora: [join(folder, 'fitting.gguf')], ctxSize: '256', cacheTokens: '256' });
    const flagged = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
    const same = await flagged.completions.create({ model: 'tiny', ...asked });
    expect(same.choices[0]!.logprobs!.token_logprobs).toEqual(tuned);
    // Its cache holds 256 tokens, and a model of 300 could never be loaded.
    expect(await refusal({ model: 'wide', from: 'tiny', parameters: { num_ctx: 300 } })).toMatchObject({
      ...{ status: 400, param: 'parameters.num_ctx', error: expect.stringMatching(/300.*256/) },
    });
    await server.close();
    await start();
    // Its architecture is written into it: the same bytes for another one.
    const foreign = Buffer.from(fitting);
    foreign.write('qwen2', foreign.indexOf('llama', foreign.indexOf('general.architecture')));
    await send(digestOf(foreign), foreign);
    expect(await refusal({ model: 'no', from: 'tiny', adapters: { x: digestOf(foreign) } })).toMatchObject({
      ...{ status: 400, param: 'adapters.x', error: expect.stringMatching(/for qwen2 models, and the model is llama/) },
    });
    rmSync(join(blobs, digestOf(foreign).replace(':', '-')));
  });

  it('are there after the server has ended, and go with the last model that needs them', async () => {
    expect(await names()).toEqual(['again', 'pirate', 'sent', 'small', 'tiny', 'tuned']);
    // Loaded or not, it is told when it was made.
    const row = (await client.list()).models.find(({ name }) => name === 'pirate')!;
    const { createdMs } = JSON.parse(readFileSync(join(cache, 'quern--created/manifests/pirate.json'), 'utf8'));
    expect(new Date(row.modified_at).getTime()).toBe(createdMs);
    expect((await client.show({ model: 'pirate' })).system).toBe('You are a pirate.');
    // Named, it is served alone.
    await server.close();
    await start({ modelsDir: [], allowChanges: false }, ['pirate']);
    expect(await names()).toEqual(['pirate']);
    expect((await client.chat({ model: 'pirate', messages: [hello] })).eval_count).toBe(12);
    await server.close();
    await start();
    const asked = { messages: [hello], options: greedy };
    expect((await client.chat({ model: 'sent', ...asked })).done).toBe(true);
    await client.copy({ source: 'sent', destination: 'second' });
    await client.delete({ model: 'sent' });
    expect(sent()).toContain(digest.replace(':', '-'));
    expect((await client.chat({ model: 'second', ...asked })).done).toBe(true);
    await client.delete({ model: 'second' });
    expect(sent()).not.toContain(digest.replace(':', '-'));
    for (const model of ['small', 'tuned']) await client.delete({ model });
    expect(sent()).toEqual([]);
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
  });

  it('a context of its own', async () => {
    await client.create({ model: 'narrow', from: 'tiny', parameters: { num_ctx: 64 } });
    const long = { role: 'user', content: 'word '.repeat(200) };
    await expect(client.chat({ model: 'narrow', messages: [long] })).rejects.toThrow(/64 tokens/);
    expect((await client.chat({ model: 'tiny', messages: [long], options: { num_predict: 1 } })).done).toBe(true);
    await client.delete({ model: 'narrow' });
  });

  it('one name in any case: the last one created has it, and it is asked for and deleted as one', async () => {
    await client.create({ model: 'cased', from: 'tiny' });
    await client.create({ model: 'Cased', from: 'tiny', system: 'The second.' });
    expect(await names()).toEqual(['Cased', 'again', 'pirate', 'tiny']);
    for (const model of ['cased', 'CASED']) expect((await client.show({ model })).system).toBe('The second.');
    expect((await client.chat({ model: 'cased', messages: [hello], options: greedy })).done).toBe(true);
    await client.delete({ model: 'cased' });
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
  });

  it('a damaged description hides no other model', async () => {
    await writeFile(join(cache, 'quern--created/manifests/bad.json'), '{"version":');
    await server.close();
    await start();
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
    expect(statSync(join(models, 'tiny.gguf')).size).toBe(gguf.length);
  });
});
