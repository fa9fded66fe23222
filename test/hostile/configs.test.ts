// config.json in an enemy's hand, for every architecture: whatever stands at a key, it is refused by name or it says nothing
// (the model is the same to the last key and shape); tensors of other shapes than config.json says are refused by theirs.
// No weight is read, and no size is believed before it is checked.
import { type HfCheckpoint, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { hfModelView } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { architectureRows, checkpointOf } from '../golden/forward/architectures.ts';

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What no text model computes with (who made it, how it was trained), and a bound that is below 0. */
const about =
  /lower_bound|^architectures$|version|_token_id|dropout|pdrop|initializer|loss_coef|dtype|use_cache|^_|label|^summary|time_step_(min|max)/;

/** What cannot be meant, where such a value stands. */
function nonsense(value: unknown, layers: number): unknown[] {
  const list = Array(layers + 1).fill(value);
  if (typeof value === 'number') return [Number.NaN, -1, '7', {}, list, Number.POSITIVE_INFINITY];
  if (typeof value === 'boolean') return ['yes', 7, []];
  if (Array.isArray(value)) return [value.slice(1), [...value, value[0]], value.map(() => ({})), 'x', 7];
  return typeof value === 'string' ? [7, {}] : isObject(value) ? [7, 'x'] : [-1, 'x', {}];
}

/** Names of sizes, the first that config.json has; none of them is 10⁹, nor 0. */
const sizes = [
  ['num_hidden_layers', 'n_layer'],
  ['hidden_size', 'n_embd'],
  ['num_attention_heads', 'n_head'],
  ['num_key_value_heads'],
  ['head_dim'],
  ['vocab_size'],
  ['num_experts', 'num_local_experts', 'n_routed_experts', 'moe_num_experts'],
];

const others = ['bert', 'deepseek4', 'nomic-bert', 'embeddinggemma', 'qwen3-embedding'];

describe.each([...architectureRows.map(({ name }) => name), ...others])('%s', (name) => {
  const folder = checkpointOf(name);
  if (!folder) {
    it.skip(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
    return;
  }
  let checkpoint: HfCheckpoint;
  let said: string;
  /** Of the text model, whatever holds it. */
  let text: Json;
  const wrapper = () => (isObject(checkpoint.config.text_config) ? 'text_config' : undefined);

  const described = async (config: Json, tensors = checkpoint.tensors): Promise<string> => {
    const close = async () => {};
    const view = await hfModelView({ ...checkpoint, config, tensors, close });
    const keys = [...view.metadata].filter(([key]) => !key.startsWith('tokenizer.'));
    const shapes = [...view.tensors.values()].map((tensor) => [tensor.name, tensor.shape]);
    return JSON.stringify([keys, shapes], (_, value) => (typeof value === 'bigint' ? Number(value) : value));
  };

  /** The model that comes of it, or the refusal. */
  async function outcome(config: Json, tensors?: Map<string, TensorView>): Promise<string | QuernError> {
    const before = process.cpuUsage();
    const result = await described(config, tensors).catch((error: unknown) => {
      if (!(error instanceof QuernError)) throw error;
      expect(error.file, error.message).toBeDefined();
      return error;
    });
    // A slow machine needs milliseconds; a loop over what config.json promises would need minutes.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000);
    return result;
  }

  const withValue = (path: readonly string[], value: unknown): Json => {
    const put = (object: Json, [key, ...rest]: readonly string[]): Json => ({
      ...object,
      [key!]: rest.length > 0 ? put(object[key!] as Json, rest) : value,
    });
    return put(checkpoint.config, [...(wrapper() ? [wrapper()!] : []), ...path]);
  };

  beforeAll(async () => {
    const opened = await openHfCheckpoint(folder);
    const readRows = () => {
      throw new Error('a weight was read');
    };
    // A single number is no weight: GGUF has it among the metadata (Apertus).
    const withheld = (tensor: TensorView) => (tensor.rows * tensor.cols === 1 ? tensor : { ...tensor, readRows });
    const tensors = new Map([...opened.tensors].map(([key, tensor]) => [key, withheld(tensor)]));
    checkpoint = { ...opened, tensors };
    text = (wrapper() ? checkpoint.config.text_config : checkpoint.config) as Json;
    said = await described(checkpoint.config);
  });
  afterAll(() => checkpoint?.close());

  it('refuses nonsense at any key by its name, unless it says nothing', async () => {
    const paths = Object.entries(text).flatMap(([key, value]): string[][] => {
      if (about.test(key) || /_config$/.test(key)) return [];
      const rope = key.startsWith('rope_') && isObject(value);
      return [[key], ...(rope ? Object.keys(value).map((inner) => [key, inner]) : [])];
    });
    const accepted: string[] = [];
    for (const path of paths) {
      const [key, value] = [path.at(-1)!, path.reduce<unknown>((at, inner) => (at as Json)[inner], text)];
      for (const bad of nonsense(value, Number(text.num_hidden_layers ?? text.n_layer ?? 8))) {
        const result = await outcome(withValue(path, bad));
        if (typeof result === 'string' ? result === said : result.message.includes(key)) continue;
        // Another list of layers is another model, of which tensors are missing.
        if (Array.isArray(bad) && result instanceof QuernError && result.code === 'tensors-missing') continue;
        const told = typeof result === 'string' ? 'accepted' : result.message.slice(0, 200);
        accepted.push(`${path.join('.')} = ${typeof bad === 'number' ? bad : JSON.stringify(bad)}: ${told}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  it('refuses sizes of 0 and of 10⁹', async () => {
    for (const names of sizes) {
      const key = names.find((one) => typeof text[one] === 'number');
      if (key === undefined) continue;
      for (const size of [0, 1e9]) {
        const result = await outcome(withValue([key], size));
        if (typeof result === 'string') expect(result, `${key} = ${size}`).toBe(said);
        else if (result.code !== 'tensors-wrong-shape') expect(result.message).toContain(key);
      }
    }
  });

  it('refuses tensors of other shapes, and less than all of them, by name', async () => {
    // Towers are left out, and draft blocks may do without an embedding and an output of their own.
    const other = /vision|visual|audio|projector|pooler|mtp|layers\.\d+\.(embed_tokens|shared_head)/;
    const used = [...checkpoint.tensors.keys()].filter((key) => !other.test(key));
    for (const key of used.filter((_, i) => i % Math.ceil(used.length / 6) === 0)) {
      const tensor = checkpoint.tensors.get(key)!;
      const [first = 1, ...rest] = tensor.shape;
      for (const shape of [
        [first + 1, ...rest],
        [...tensor.shape, 2],
        [first * 2 ** 40, ...rest],
      ]) {
        const result = await outcome(checkpoint.config, new Map([...checkpoint.tensors, [key, { ...tensor, shape }]]));
        expect(result).toMatchObject({ code: 'tensors-wrong-shape', message: expect.stringContaining(`${key} is [`) });
      }
      const without = new Map([...checkpoint.tensors].filter(([one]) => one !== key));
      expect(await outcome(checkpoint.config, without), key).toMatchObject({ code: 'tensors-missing' });
    }
  });
});
