// Models of another one. What they say is held to the same conversation written out for the model that they were made from.
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenAI } from 'openai';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../cli-fixture.ts';
import { cache, client, folder, greedy, hello, models, names, server } from './fixture.ts';

describe('a model of another one', () => {
  const system = 'You are a pirate.';
  const messages = [
    { role: 'user', content: 'Is it raining?' },
    { role: 'assistant', content: 'Aye.' },
  ];

  it('is told of while it is made', async () => {
    const states: string[] = [];
    const asked = {
      ...{ model: 'pirate', from: 'tiny', system, messages, license: ['MIT', 'and more'] },
      parameters: { ...greedy, stop: ['#'] },
    };
    for await (const { status } of await client.create({ ...asked, stream: true })) states.push(status);
    expect(states[0]).toBe('reading model metadata');
    expect(states.slice(-2)).toEqual(['writing manifest', 'success']);
    expect(await names()).toEqual(['pirate', 'tiny']);
  });

  it('says what the other says to the same written out, on every API', async () => {
    const written = [{ role: 'system', content: system }, ...messages, hello];
    const base = await client.chat({ model: 'tiny', messages: written, options: greedy });
    const own = await client.chat({ model: 'pirate:latest', messages: [hello] });
    expect(own.message).toEqual(base.message);
    expect(own).toMatchObject({ model: 'pirate', prompt_eval_count: base.prompt_eval_count, eval_count: 12 });
    const generated = await client.generate({ model: 'pirate', prompt: hello.content });
    expect(generated.response).toBe(base.message.content);
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
    const { choices, usage } = await openai.chat.completions.create({ model: 'pirate', messages: [hello] as never });
    expect(choices[0]!.message.content).toBe(base.message.content);
    expect(usage!.prompt_tokens).toBe(base.prompt_eval_count);
    expect((await openai.models.list()).data.map(({ id }) => id).sort()).toEqual(['pirate', 'tiny']);
  });

  it('gives way to what a request says', async () => {
    const other = { role: 'system', content: 'You are a poet.' };
    const own = await client.chat({ model: 'pirate', messages: [other, hello], options: { num_predict: 5 } });
    const base = await client.chat({
      model: 'tiny',
      messages: [other, ...messages, hello],
      options: { ...greedy, num_predict: 5 },
    });
    expect(own.message).toEqual(base.message);
    expect(own.eval_count).toBe(5);
    // Ends where its own stop would, or where the request's does.
    const { response: text } = await client.generate({ model: 'tiny', raw: true, prompt: 'In the', options: greedy });
    const word = text!.trim().split(/\s+/)[1]!;
    await client.create({ model: 'stops', from: 'tiny', parameters: { ...greedy, stop: word } });
    const raw = { model: 'stops', raw: true, prompt: 'In the' };
    expect((await client.generate(raw)).response).toBe(text!.slice(0, text!.indexOf(word)));
    expect((await client.generate({ ...raw, options: { stop: ['\u0000'] } })).response).toBe(text);
    await client.delete({ model: 'stops' });
  });

  it('is shown, as what it is and as a Modelfile', async () => {
    const shown = await client.show({ model: 'pirate' });
    expect(shown).toMatchObject({ system, messages, license: 'MIT\nand more', details: { parent_model: 'tiny' } });
    expect(shown.parameters.split('\n').sort()).toEqual(
      ['num_predict 12', 'repeat_penalty 1', 'stop "#"', 'temperature 0'].sort(),
    );
    expect(shown.modelfile).toContain(`\nFROM ${join(models, 'tiny.gguf')}\n`);
    expect(shown.modelfile).toMatch(/^SYSTEM """You are a pirate\."""$/m);
    expect(shown.modelfile).toMatch(/^MESSAGE assistant """Aye\."""$/m);
    expect(shown.template).toBe((await client.show({ model: 'tiny' })).template);
  });

  it('is what the last one is made from, with what that does not say anew', async () => {
    await client.create({ model: 'o/mate:v2', from: 'pirate', parameters: { num_predict: 3 } });
    const shown = await client.show({ model: 'o/mate:v2' });
    expect(shown).toMatchObject({ system, messages });
    expect(shown.parameters.split('\n')).toEqual(
      expect.arrayContaining(['num_predict 3', 'stop "#"', 'temperature 0']),
    );
    await client.copy({ source: 'o/mate:v2', destination: 'again' });
    expect((await client.chat({ model: 'again', messages: [hello] })).eval_count).toBe(3);
    await client.delete({ model: 'o/mate:v2' });
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
  });

  it('is created by the command too, of the Modelfile that it is shown as', async () => {
    const { modelfile, ...shown } = await client.show({ model: 'pirate' });
    const file = join(folder, 'Modelfile');
    await writeFile(file, modelfile);
    const { code, stdout, stderr } = await runCommand('create', 'typed', '-f', file, '--json');
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'typed', from: 'tiny' });
    // A server that runs finds it.
    expect(await names()).toContain('typed');
    const same = await client.show({ model: 'typed' });
    const unordered = (text: string) => text.split('\n').sort();
    expect(unordered(same.parameters)).toEqual(unordered(shown.parameters));
    for (const field of ['system', 'messages', 'template', 'details'] as const)
      expect(same[field]).toEqual(shown[field]);
    const listed = JSON.parse((await runCommand('list', '--json')).stdout).models;
    expect(listed.find(({ name }: { name: string }) => name === 'typed')).toMatchObject({
      kind: 'created',
      from: 'tiny',
    });
    await writeFile(file, `FROM ${join(models, 'tiny.gguf')}\nPARAMETER temperature hot\n`);
    const bad = await runCommand('create', 'bad', '-f', file);
    expect(bad.stderr).toMatch(/Line 2: parameters\.temperature/);
    expect(await runCommand('rm', '--yes', 'typed')).toMatchObject({ code: 0 });
    await client.delete({ model: 'typed' });
  });

  it('has a template of its own, in Jinja', async () => {
    const template = '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>';
    await client.create({ model: 'plain', from: 'tiny', template, parameters: greedy });
    const own = await client.chat({ model: 'plain', messages: [hello] });
    const prompt = `<user>${hello.content}<assistant>`;
    const raw = await client.generate({ model: 'tiny', raw: true, prompt, options: greedy });
    // A raw prompt begins with BOS; this template has none.
    expect(own.prompt_eval_count).toBe(raw.prompt_eval_count - 1);
    expect((await client.show({ model: 'plain' })).template).toBe(template);
    await client.delete({ model: 'plain' });
  });
});

it('of many who create one name at a time, one is kept whole', async () => {
  const systems = Array.from({ length: 8 }, (_, i) => `You are number ${i}.`);
  await Promise.all(systems.map((system) => client.create({ model: 'Race', from: 'tiny', system })));
  const { system } = await client.show({ model: 'Race' });
  const kept = readFileSync(join(cache, 'quern--created/manifests/race.json'), 'utf8');
  expect(JSON.parse(kept).system).toBe(system);
  expect(systems).toContain(system);
  expect(readdirSync(join(cache, 'quern--created/manifests')).filter((name) => !name.endsWith('.json'))).toEqual([]);
  // In other letters it is the same one.
  await client.create({ model: 'race', from: 'tiny' });
  expect((await names()).filter((name) => /race/i.test(name))).toEqual(['race']);
  await client.delete({ model: 'race' });
});
