import { describe, expect, it } from 'vitest';
import { type EvalOptions, readRequest } from './request.ts';

describe('readRequest', () => {
  const cases: [EvalOptions, code: string, message: RegExp][] = [
    [{}, 'usage-no-text', /give --text/],
    [{ base: 'x' }, 'usage-base-without-text', /--base needs a --text/],
    [{ saveBase: 'x', text: 'y' }, 'usage-save-base', /--save-base needs a --base/],
    [{ base: 'x', baseFile: 'y', text: 'z' }, 'usage-two-bases', /give one/],
    [{ baseFile: 'x', ctxSize: '64' }, 'usage-base-file-decides', /leave out --ctx-size/],
    [{ base: 'x', saveBase: 'y', text: 'z', profile: 'paper-2048' }, 'usage-save-base', /llama\.cpp-512 only/],
    [{ base: 'x', saveBase: 'y', text: 'z', shard: '1/2' }, 'usage-save-base', /written whole/],
    [{ text: 'x', profile: 'wrong' }, 'usage-unknown-profile', /no profile wrong/],
    [{ text: 'x', stride: '8' }, 'usage-no-stride', /do not overlap/],
    [{ text: 'x', shard: '3/2' }, 'usage-bad-shard', /like 2\/8/],
    [{ text: 'x', shard: '0/2' }, 'usage-bad-shard', /like 2\/8/],
    [{ text: 'x', chunks: '-1' }, 'usage-bad-number', /--chunks/],
    [{ text: 'no-such-file' }, 'text-unreadable', /no such file/],
    [{ hellaswag: 'no-such-file' }, 'source-not-found', /No such file/],
  ];
  it.each(cases)('refuses %j', async (options, code, message) => {
    await expect(readRequest(['model.gguf'], options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('wants a model, save when there is only a base to save', async () => {
    await expect(readRequest([], { text: 'x' })).rejects.toMatchObject({ code: 'usage-no-model' });
    const text = import.meta.filename;
    expect(await readRequest([], { text, base: 'b', saveBase: 's' })).toMatchObject({ models: [], saveBase: 's' });
  });
});
