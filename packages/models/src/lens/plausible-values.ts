// What the name of a key promises, before a record computes with its value: sizes and counts are whole numbers, switches
// are true or false. JavaScript would make a number of "7", of [7] and of true, and a switch of nothing but `true`.
import { configError, isObject, show } from '../arch/config-error.ts';
import type { Json } from '../arch/config-rule.ts';
import { isHarmless } from './harmless-keys.ts';

/** A key may be null, where it means the same as its absence. */
interface Promised {
  readonly names: RegExp;
  readonly needed: string | ((key: string) => string);
  readonly holds: (value: unknown, key: string, config: Json) => boolean;
}

const isCount = (value: unknown, least: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) < 2 ** 31;
/** Their lists are of numbers of layers. */
const listsLayers = /_(layers|idxs)$/;
/** What no model can have none of. */
const neverNone = /^(hidden|vocab)_size$|^num_hidden_layers$|_heads$|head_dim$/;

const promises: readonly Promised[] = [
  {
    names:
      /^n(um)?_|^(max_position_embeddings|sliding_window|topk_group|moe_k|moe_topk|rotary_dim|expand|mamba_expand)$|_(sizes?|dims?|rank|heads|layers|experts|interval|step|idxs)$|_size_per_/,
    needed: (key) =>
      `a whole number${neverNone.test(key) ? ' above 0' : ''}${key === 'num_hidden_layers' ? '' : ', or a list with one for each layer of "num_hidden_layers"'}`,
    holds: (value, key, { num_hidden_layers: layers }) => {
      const least = neverNone.test(key) ? 1 : 0;
      if (!Array.isArray(value)) return isCount(value, least);
      const isLong = listsLayers.test(key) || value.length === (layers ?? value.length);
      return isLong && key !== 'num_hidden_layers' && value.every((one) => isCount(one, least));
    },
  },
  {
    names: /^(use|is|enable|tie|norm_topk|new)_|_(bias|layernorm)$|_k_eq_v$/,
    needed: 'true or false',
    holds: (value) => typeof value === 'boolean',
  },
  {
    names: /_(scale|factor|multiplier|scalar)$/,
    needed: 'a number from 0',
    holds: (value) => typeof value === 'number' && value >= 0,
  },
  {
    names: /^(attn|final)_logit_softcap/,
    needed: 'a number above 0, or null',
    holds: (value) => typeof value === 'number' && value > 0,
  },
  {
    names: /layer_types$/,
    needed: 'a list with a word for each layer',
    holds: (value) => Array.isArray(value) && value.every((word) => typeof word === 'string'),
  },
  {
    names: /_eps(ilon)?$/,
    needed: 'a number from 0 to 1',
    holds: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  },
];

/**
 * @param config of the text model; of the objects in it rope parameters alone are looked at
 * @throws QuernError `config-bad-value`, listing every offender
 */
export function checkPlausible(config: Json): void {
  const offenders = Object.entries(config).flatMap(([key, value]): string[] => {
    if (value === null || isHarmless(key)) return [];
    if (key.startsWith('rope_') && isObject(value)) return notFinite(value, `${key}.`);
    const broken = promises.find(({ names, holds }) => names.test(key) && !holds(value, key, config));
    if (!broken) return notFinite({ [key]: value }, '');
    const { needed } = broken;
    return [`"${key}" is ${show(value)} (needed: ${typeof needed === 'string' ? needed : needed(key)})`];
  });
  if (offenders.length > 0) throw configError(offenders.join('; '));
}

const notFinite = (object: Json, prefix: string): string[] =>
  Object.entries(object)
    .filter(([, value]) => typeof value === 'number' && !Number.isFinite(value))
    .map(([key, value]) => `"${prefix}${key}" is ${show(value)} (needed: a number)`);
