// Metadata that a person sets for one run: the file stays what it is.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufMetadata, GgufValue } from '@quern/gguf';
import { networkOf } from '../network-of.ts';
import { type MetadataOverride, parseOverride, setMetadata } from './metadata-override.ts';
import { type RopeOptions, type RopeOverride, readRopeOverride } from './rope-override.ts';

/** What a parser makes of `overrideFlags` (flags.ts). */
export interface OverrideOptions extends RopeOptions {
  readonly overrideKv?: readonly string[];
}

/** Survives structured clone: it crosses threads. */
export interface LoadOverride {
  readonly metadata: readonly MetadataOverride[];
  readonly rope: RopeOverride;
}

/** @throws QuernError `usage-override`, `usage-rope`, `usage-bad-number`; undefined: nothing is set */
export function readLoadOverride(options: OverrideOptions): LoadOverride | undefined {
  const metadata = (options.overrideKv ?? []).map(parseOverride);
  const rope = readRopeOverride(options);
  return metadata.length > 0 || Object.keys(rope).length > 0 ? { metadata, rope } : undefined;
}

/**
 * The model with these values in place of its own. A longer context comes with a factor: the original length times it.
 * @throws QuernError `override-unknown-key`, `override-rope`
 */
export function withOverride<View extends ModelView>(view: View, { metadata: entries, rope }: LoadOverride): View {
  const metadata: GgufMetadata = new Map(view.metadata);
  const architecture = String(metadata.get('general.architecture')?.value);
  setMetadata(metadata, entries);
  const read = entries.length > 0 ? keysThatAreRead({ ...view, metadata }) : new Set<string>();
  for (const [key] of entries)
    if (!view.metadata.has(key) && !read.has(key) && !/^(tokenizer|general)\./.test(key))
      throw new QuernError(
        'override-unknown-key',
        `--override-kv ${key}: nothing reads this key of a ${architecture} model.`,
        {
          file: view.path,
          remedy: 'quern inspect lists the keys that the file has.',
        },
      );
  if (Object.keys(rope).length > 0) setRope(metadata, architecture, rope, view.path);
  return { ...view, metadata };
}

/** What the forward pass of the model looks at, whether it is there or not. */
function keysThatAreRead(view: ModelView): ReadonlySet<string> {
  const watched = new WatchedMetadata(view.metadata);
  networkOf({ ...view, metadata: watched });
  return watched.asked;
}

class WatchedMetadata extends Map<string, GgufValue> {
  readonly asked = new Set<string>();

  override get(key: string): GgufValue | undefined {
    this.asked?.add(key); // undefined while the constructor of Map runs
    return super.get(key);
  }

  override has(key: string): boolean {
    this.asked?.add(key);
    return super.has(key);
  }
}

function setRope(metadata: GgufMetadata, architecture: string, rope: RopeOverride, file: string): void {
  const key = (name: string) => `${architecture}.${name}`;
  const numberOf = (name: string) => Number((metadata.get(key(name)) as GgufValue | undefined)?.value);
  const refuse = (message: string) => new QuernError('override-rope', message, { file });
  const before = metadata.get(key('rope.scaling.type'))?.value;
  if (before === 'longrope' && rope['rope.scaling.type'])
    throw refuse('The model scales positions by factors of its own (longrope), which another kind would lose.');
  const context = numberOf('context_length');
  const original = numberOf('rope.scaling.original_context_length') || context;
  setMetadata(metadata, [[key('rope.scaling.original_context_length'), { type: 'uint32', value: original }]]);
  setMetadata(
    metadata,
    Object.entries(rope).map(([name, value]) => [key(name), value]),
  );
  const kind = metadata.get(key('rope.scaling.type'))?.value;
  const factor = numberOf('rope.scaling.factor');
  if ((kind === 'linear' || kind === 'yarn') && !(factor > 1))
    throw refuse(`Scaling positions (${kind}) wants to know how far: give --rope-scale, 2 for twice the context.`);
  if (!rope['rope.scaling.factor']) return;
  const reached = Math.floor(numberOf('rope.scaling.original_context_length') * factor);
  setMetadata(metadata, [[key('context_length'), { type: 'uint32', value: Math.max(context, reached) }]]);
}
