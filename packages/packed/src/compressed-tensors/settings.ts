// compressed-tensors' quantization_config, understood: which module is packed how.
import { refuseVariant } from '../refused.ts';
import {
  configInvalid,
  groupSizeOf,
  integerOf,
  isSettings,
  namesOf,
  type Settings,
  sectionOf,
  wordOf,
} from '../settings.ts';

export type Strategy = 'tensor' | 'channel' | 'group' | 'block';

/** How the weights of some modules are stored. */
export interface ModuleSettings {
  readonly format: string;
  readonly bits: number;
  readonly type: 'int' | 'float';
  readonly symmetric: boolean;
  readonly strategy: Strategy;
  /** Strategy `group`. */
  readonly groupSize: number;
  /** Strategy `block`: rows and columns of a tile. */
  readonly tile: readonly [number, number];
  readonly actOrder: boolean;
}

const strategies: Readonly<Record<string, Strategy>> = {
  tensor: 'tensor',
  channel: 'channel',
  group: 'group',
  tensor_group: 'group',
  block: 'block',
};

/** @throws QuernError `packed-config-invalid`, `packed-method-refused` */
export function readSettings(settings: Settings): { description: string; settingsOf(module: string): ModuleSettings } {
  refuseWhatIsMore(settings);
  const format = wordOf(settings, 'format', 'mixed-precision');
  const groups = Object.entries(sectionOf(settings, 'config_groups')).flatMap(([name, group]) => {
    if (!isSettings(group)) return configInvalid(`config_groups.${name} is no object.`);
    if (!isSettings(group.weights)) return [];
    return [
      {
        targets: namesOf(group, 'targets').map(target),
        module: readWeights(group.weights, wordOf(group, 'format', format)),
      },
    ];
  });
  if (groups.length === 0) return configInvalid('no group of config_groups has weights.');
  const names = [...new Set(groups.map(({ module }) => `${module.format} ${module.bits} bits`))];
  return {
    description: `compressed-tensors ${names.join(', ')}`,
    settingsOf(module) {
      if (groups.length === 1) return groups[0].module;
      // A module's own name or pattern comes before the name of its class, which only the tensors can vouch for.
      const own = groups.find(({ targets }) => targets.some(({ matches }) => matches?.(module)));
      const byClass = groups.filter(({ targets }) => targets.some(({ matches }) => !matches));
      if (own) return own.module;
      if (byClass.length === 1) return byClass[0].module;
      return configInvalid(`config_groups do not say how ${module} is packed.`);
    },
  };
}

/**
 * A pattern (`re:…`), the name of a module, or, without a dot, of a class (`Linear`), which matches nothing by itself.
 */
function target(text: string): { matches?: (module: string) => boolean } {
  if (text.startsWith('re:')) {
    const pattern = compile(text.slice(3));
    return { matches: (module) => pattern.test(module) };
  }
  return text.includes('.') ? { matches: (module) => module === text } : {};
}

function compile(pattern: string): RegExp {
  try {
    // Python's re.match: from the start, not to the end.
    return new RegExp(`^(?:${pattern})`);
  } catch (cause) {
    return configInvalid(
      `the target ${JSON.stringify(pattern)} is no regular expression (${(cause as Error).message}).`,
    );
  }
}

function readWeights(weights: Settings, format: string): ModuleSettings {
  const type = wordOf(weights, 'type', 'int');
  if (type !== 'int' && type !== 'float') return configInvalid(`weights.type is ${JSON.stringify(type)}.`);
  const named = wordOf(weights, 'strategy', weights.group_size ? 'group' : 'tensor');
  if (!Object.hasOwn(strategies, named)) return configInvalid(`weights.strategy is ${JSON.stringify(named)}.`);
  const strategy = strategies[named];
  return {
    format,
    type,
    strategy,
    bits: integerOf(weights, 'num_bits', [2, 3, 4, 5, 6, 7, 8], 8),
    symmetric: weights.symmetric !== false,
    groupSize: strategy === 'group' ? groupSizeOf(weights, 'group_size', false) : -1,
    tile: strategy === 'block' ? tileOf(weights.block_structure) : [1, 1],
    actOrder: weights.actorder === 'group' || weights.actorder === 'dynamic' || weights.actorder === true,
  };
}

function tileOf(value: unknown): readonly [number, number] {
  const sizes = Array.isArray(value) ? value : [];
  if (sizes.length === 2 && sizes.every((size) => Number.isSafeInteger(size) && size > 0)) return [sizes[0], sizes[1]];
  return configInvalid(`weights.block_structure is ${JSON.stringify(value)}, and must be two positive integers.`);
}

/** Sparsity and transforms change what the weights mean. */
function refuseWhatIsMore(settings: Settings): void {
  const sparsity = sectionOf(settings, 'sparsity_config');
  const kind = wordOf(sparsity, 'format', 'dense');
  if (kind !== 'dense')
    refuseVariant(`compressed-tensors with ${kind} sparsity`, 'Use the checkpoint before sparsification.');
  const transforms = sectionOf(sectionOf(settings, 'transform_config'), 'config_groups');
  if (Object.keys(transforms).length > 0) {
    refuseVariant(
      'compressed-tensors with transforms (rotations)',
      'Use a checkpoint that was quantized without them.',
    );
  }
}
