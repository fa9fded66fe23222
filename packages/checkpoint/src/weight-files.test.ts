import { describe, expect, it } from 'vitest';
import { type WeightFiles, weightFiles } from './weight-files.ts';

const numbered = (begin: string, count: number, end = '.safetensors') =>
  Array.from(
    { length: count },
    (_, i) => `${begin}-${String(i + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}${end}`,
  );
const three = numbered('model', 3);

describe('weights are', () => {
  it.each<[string, string[], WeightFiles]>([
    [
      'one file, whatever is beside it',
      ['model.safetensors', 'model.safetensors.index.json', ...three],
      { container: 'safetensors', files: ['model.safetensors'] },
    ],
    [
      'those of the index',
      [...three, 'model.safetensors.index.json', 'mtp.safetensors'],
      { container: 'safetensors', index: 'model.safetensors.index.json' },
    ],
    [
      'those of an index of another name',
      ['x-4bit.safetensors.index.json', ...numbered('x-4bit', 2)],
      { container: 'safetensors', index: 'x-4bit.safetensors.index.json' },
    ],
    [
      'one of another name',
      ['gptq_model-4bit-128g.safetensors'],
      { container: 'safetensors', files: ['gptq_model-4bit-128g.safetensors'] },
    ],
    [
      'safetensors beside torch.save',
      ['model.safetensors', 'pytorch_model.bin'],
      { container: 'safetensors', files: ['model.safetensors'] },
    ],
    [
      'torch.save beside other names',
      ['pytorch_model.bin', 'other.safetensors'],
      { container: 'torch', files: ['pytorch_model.bin'] },
    ],
    [
      'those of an index of torch.save',
      numbered('pytorch_model', 2, '.bin').concat('pytorch_model.bin.index.json'),
      { container: 'torch', index: 'pytorch_model.bin.index.json' },
    ],
    [
      'not those of an adapter',
      ['model.safetensors', 'adapter_model.safetensors'],
      { container: 'safetensors', files: ['model.safetensors'] },
    ],
    [
      "not those of Mistral's own format",
      ['consolidated.safetensors', 'model.safetensors'],
      { container: 'safetensors', files: ['model.safetensors'] },
    ],
  ])('%s', (_, names, expected) => {
    expect(weightFiles(names, 'folder')).toEqual(expected);
  });

  it.each<[string, string[], WeightFiles['container'], string[]]>([
    ['numbered', [...three].reverse(), 'safetensors', three],
    ['numbered, of another name', numbered('llama', 12), 'safetensors', numbered('llama', 12)],
    ['of torch.save', numbered('pytorch_model', 2, '.bin'), 'torch', numbered('pytorch_model', 2, '.bin')],
    [
      'numbered in another way',
      ['model_10.safetensors', 'model_2.safetensors'],
      'safetensors',
      ['model_2.safetensors', 'model_10.safetensors'],
    ],
  ])('shards without an index: %s', (_, names, container, files) => {
    const found = weightFiles(names, 'folder');
    expect(found).toMatchObject({ container, files });
    expect(found).not.toHaveProperty('unrelatedNames');
    expect(found?.notes?.[0]).toMatch(new RegExp(`no index.*all ${files.length} are read`));
  });

  it("Mistral's own, where there are no others", () => {
    const own = ['consolidated.safetensors', 'params.json', 'tekken.json'];
    expect(weightFiles(own, 'folder')).toEqual({
      container: 'safetensors',
      files: ['consolidated.safetensors'],
      dialect: 'mistral',
    });
    const both = weightFiles([...own, 'model.safetensors'], 'folder');
    expect(both).toEqual({ container: 'safetensors', files: ['model.safetensors'] });
  });

  it('of names that nothing relates, which only their tensors can tell', () => {
    expect(weightFiles(['first.safetensors', 'second.safetensors'], 'folder')).toMatchObject({
      files: ['first.safetensors', 'second.safetensors'],
      unrelatedNames: true,
    });
  });

  it.each([
    [['config.json', 'README.md']],
    [['adapter_model.safetensors']],
    [['adapters.safetensors']],
    [['consolidated.00.pth']],
    [['sub/model.safetensors']],
  ])('nowhere in %j', (names) => {
    expect(weightFiles(names, 'folder')).toBeUndefined();
  });
});

describe('refused are', () => {
  it.each<[string, string[], RegExp]>([
    [
      'shards of which one is missing',
      [three[0]!, three[2]!],
      /1 of 3 shards are missing: model-00002-of-00003\.safetensors\./,
    ],
    ['shards of torch.save likewise', [numbered('pytorch_model', 2, '.bin')[1]!], /pytorch_model-00001-of-00002\.bin/],
    [
      'a name that promises very many',
      ['model-00001-of-99999999999.safetensors'],
      /99999999998 of .* and 99999999988 more/,
    ],
  ])('%s', (_, names, text) => {
    expect(() => weightFiles(names, 'folder')).toThrow(
      expect.objectContaining({
        code: 'checkpoint-shard-missing',
        file: 'folder',
        message: expect.stringMatching(text),
      }),
    );
  });

  it('shards of two sets', () => {
    expect(() => weightFiles([...three, ...numbered('model', 2)], 'folder')).toThrow(
      expect.objectContaining({ code: 'checkpoint-ambiguous' }),
    );
  });
});
