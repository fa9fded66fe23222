// What an architecture record says of config.json: which GGUF keys its numbers become, and how they come back.
import type { GgufScalar } from '@quern/gguf';
import type { ModelNumbers } from './model-numbers.ts';

/** config.json; what a record reads of it is noted, so that nothing is overlooked. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of unknown shape, checked where a value is used
export type Json = Readonly<Record<string, any>>;

/** What a rule may ask beside config.json. */
export interface Facts {
  /** Blocks that predict further tokens and are kept. */
  readonly draftBlocks: number;
  /** Whether the checkpoint stores a tensor whose name, without prefixes of wrappers and `model.`, begins so. */
  stores(start: string): boolean;
}

export type ConfigValue = GgufScalar | readonly GgufScalar[];
/** Type of a value, or of each in a list. */
export type ConfigType = 'uint32' | 'int32' | 'float32' | 'bool' | 'string';

interface Target {
  /** Without the `<arch>.` prefix. */
  readonly gguf: readonly string[];
  readonly type: ConfigType;
}

/** A value of config.json as it stands there. */
export interface KeyRule extends Target {
  /** The key, or its spellings: the first one is written back. A dot leads into an object. */
  readonly hf: string | readonly string[];
  /** The least number that is accepted; when not given, anything above 0. */
  readonly min?: number;
  /** Above it the value is a mistake or an attack; 2^24 when not given, of a number that is no size 2^30. */
  readonly max?: number;
  /**
   * What transformers' config class fills in when the key is absent or null. Without it the key is required;
   * `undefined` as a result means that no GGUF key is written.
   */
  readonly missing?: (config: Json) => ConfigValue | undefined;
  /** May be a list with one value for each block. */
  readonly perBlock?: true;
  /** Draft blocks are counted in GGUF and not in config.json. */
  readonly plusDraft?: true;
  /** GGUF has a number for each of these words. */
  readonly words?: Readonly<Record<string, number>>;
}

/** A value that follows from several keys, or from none. */
export interface MadeRule extends Target {
  readonly made: (config: Json, facts: Facts) => ConfigValue | undefined;
  /** For changes of tensors alone: no key of GGUF. */
  readonly unwritten?: true;
  /** Keys of config.json from GGUF. Without it nothing comes back: other rules say the same. */
  readonly back?: (numbers: ModelNumbers) => Record<string, unknown>;
}

export type ConfigRule = KeyRule | MadeRule;

/** A config key that this architecture supports with certain values only: any other value would change the result. */
export interface FixedConfig {
  key: string;
  /** Accepted values, compared as JSON. */
  values: readonly unknown[];
  /** What transformers takes for an absent key or null, where that is not accepted either. */
  missing?: string | number | boolean;
  why: string;
}

export type RopeType = 'default' | 'linear' | 'yarn' | 'llama3' | 'longrope' | 'proportional' | 'dynamic';

/** What an architecture knows of rope. */
export interface RopeRule {
  /** Rope scalings that both GGUF and the network have. */
  readonly types: readonly RopeType[];
  /** Base when config.json gives none (transformers' `default_theta`); 10000 when not given. */
  readonly theta?: number;
  /** llama.cpp's converter writes no base: it stands in GGUF only where it is not 10000, which readers assume. */
  readonly baseUnwritten?: true;
  /** Whether yarn rounds its range where nothing is said (`truncate`), in files and in config.json; true when not given. */
  readonly truncate?: false;
  /** The rope parameters when config.json has none (transformers' defaults of the class). */
  readonly missing?: Json;
  /**
   * Window layers have a base (and a type) of their own; the number: when config.json gives none. `byKind`: the class reads
   * all rope parameters, the part of the head that turns among them, by kind of layer alone.
   */
  readonly window?: { readonly theta?: number; readonly byKind?: true };
  /** Only a part of each head may turn; the number: when config.json gives none. `rope.dimension_count` is a rule's. */
  readonly partial?: number;
  /** Writes `rope.dimension_sections` where config.json has them; the list: when it has none. */
  readonly sections?: true | readonly number[];
  /** From GGUF: what else stands among the rope parameters of config.json. */
  readonly more?: (numbers: ModelNumbers) => Readonly<Record<string, unknown>>;
}

export const isMade = (rule: ConfigRule): rule is MadeRule => 'made' in rule;

/** Spellings of a key. */
export const spellings = ({ hf }: KeyRule): readonly string[] => (typeof hf === 'string' ? [hf] : hf);
