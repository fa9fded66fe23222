// compressed-tensors' quantization_config, understood: which module is packed how.
import { namePattern, WorkBudget } from '../patterns/name-pattern.ts';
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

interface ReadSettings {
  readonly description: string;
  settingsOf(module: string): ModuleSettings;
}

/**
 * Undefined when groups quantize activations, or kv_cache_scheme the KV cache, and nothing the weights.
 * @throws QuernError `packed-config-invalid`, `packed-method-refused`, `packed-pattern-refused`
 */
export function readSettings(settings: Settings): ReadSettings | undefined {
  refuseWhatIsMore(settings);
  const format = wordOf(settings, 'format', 'mixed-precision');
  const configured = Object.entries(sectionOf(settings, 'config_groups'));
  const groups = configured.flatMap(([name, group]) => {
    if (!isSettings(group)) return configInvalid(`config_groups.${name} is no object.`);
    if (!isSettings(group.weights)) return [];
    return [
      { targets: namesOf(group, 'targets'), module: readWeights(group.weights, wordOf(group, 'format', format)) },
    ];
  });
  if (groups.length === 0) {
    const speaksOfOthers = configured.length > 0 || isSettings(settings.kv_cache_scheme);
    return speaksOfOthers ? undefined : configInvalid('config_groups is empty.');
  }
  const names = [...new Set(groups.map(({ module }) => `${module.format} ${module.bits} bits`))];
  return {
    description: `compressed-tensors ${names.join(', ')}`,
    settingsOf: groups.length === 1 ? () => groups[0].module : byTarget(groups),
  };
}

interface TargetGroup {
  readonly targets: readonly string[];
  readonly module: ModuleSettings;
}

/**
 * Which of several groups a module belongs to. A target is a pattern (`re:…`), the name of a module, or, without a dot,
 * of a class (`Linear`), which only the tensors can vouch for: names and patterns come before it.
 */
function byTarget(groups: readonly TargetGroup[]): (module: string) => ModuleSettings {
  const budget = new WorkBudget();
  const own = groups.map(({ targets, module }) => ({
    names: new Set(targets.filter((target) => !target.startsWith('re:') && target.includes('.'))),
    patterns: targets.filter((target) => target.startsWith('re:')).map((target) => namePattern(target.slice(3))),
    module,
  }));
  const byClass = groups.filter(({ targets }) =>
    targets.some((target) => !target.startsWith('re:') && !target.includes('.')),
  );
  return (module) => {
    const found = own.find(
      ({ names, patterns }) => names.has(module) || patterns.some((pattern) => pattern.matches(module, budget)),
    );
    if (found) return found.module;
    if (byClass.length === 1) return byClass[0].module;
    return configInvalid(`config_groups do not say how ${module} is packed.`);
  };
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
