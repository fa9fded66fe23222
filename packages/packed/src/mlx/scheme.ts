// MLX's quantization: {group_size, bits, mode: "affine", "<module>": {group_size, bits} or true or false}.
import { refuseVariant } from '../refused.ts';
import type { Room } from '../scheme.ts';
import { configInvalid, groupSizeOf, integerOf, isSettings, type Settings, wordOf } from '../settings.ts';
import { BITS, GROUP_SIZES } from './layout.ts';
import { type MlxSettings, openMlx } from './open.ts';

export const mlx: Room = {
  method: 'mlx',
  scheme(settings) {
    const whole = read(settings);
    const overrides = new Map<string, MlxSettings | false>();
    for (const [module, value] of Object.entries(settings)) {
      if (value === false) overrides.set(module, false);
      else if (isSettings(value)) overrides.set(module, read({ ...settings, ...value }));
    }
    return {
      method: 'mlx',
      description: `MLX affine, ${whole.bits} bits, groups of ${whole.groupSize}`,
      open: async (tensors) => openMlx(tensors, (module) => overrides.get(module) ?? whole),
    };
  },
};

function read(settings: Settings): MlxSettings {
  const mode = wordOf(settings, 'mode', 'affine');
  if (mode !== 'affine') refuseVariant(`MLX in the mode ${mode}`, 'Convert again with mode "affine".');
  const groupSize = groupSizeOf(settings, 'group_size', false);
  if (!GROUP_SIZES.includes(groupSize))
    configInvalid(`group_size is ${groupSize}; MLX knows ${GROUP_SIZES.join(', ')}.`);
  return { groupSize, bits: integerOf(settings, 'bits', BITS) };
}
