// `tokenizer.*` keys of a checkpoint: what the tokenizer files say, then what the converter sets for the
// architecture, or by vocabulary size.
import { join } from 'node:path';
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import { parsePythonJson } from '@quern/source';
import { tokenizerViewFromHf } from '@quern/tokenizer';
import type { Architecture } from '../arch/architecture.ts';

/** Where tokenizer files are read from; a checkpoint is one. */
export type TokenizerFolder = Pick<HfCheckpoint, 'path' | 'readBytes' | 'readText' | 'chatTemplates' | 'fileNames'>;

export interface TokenizerChoice {
  note?: (text: string) => void;
  /** `tokenizer.ggml.pre`, where a person says what it is. */
  preTokenizer?: string;
}

/**
 * The keys of GGUF, and behind them what of the tokenizer GGUF has no keys for.
 * @param architecture undefined when quern does not know it: then nothing is mended for it
 * @param vocabSize undefined: as many tokens as the files name
 * @throws QuernError those of `tokenizerViewFromHf`
 */
export async function tokenizerMetadata(
  folder: TokenizerFolder,
  architecture: Architecture | undefined,
  vocabSize: number | undefined,
  { note, preTokenizer }: TokenizerChoice = {},
): Promise<GgufMetadata> {
  const settings = {
    ...{ vocabSize, architecture: architecture?.name, note, preTokenizer },
    usualNames: architecture?.preTokenizers,
  };
  const made = await tokenizerViewFromHf(folder, settings).catch((error: unknown) => {
    if (!(error instanceof QuernError)) throw error;
    // The tokenizer package knows texts by their names, not where they lie; what fails to open says so itself.
    if (error.file?.startsWith(folder.path)) throw error;
    const { code, message, file = '', offset, remedy } = error;
    throw new QuernError(code, message, { file: join(folder.path, file), offset, remedy, cause: error });
  });
  const metadata: GgufMetadata = new Map([...(architecture?.tokenizerDefaults ?? []), ...made]);
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value;
  for (const [role, text] of Object.entries(architecture?.tokensByName ?? {})) {
    const key = `tokenizer.ggml.${role}_token_id`;
    const id = Array.isArray(tokens) ? tokens.indexOf(text) : -1;
    if (id >= 0 && !metadata.has(key)) metadata.set(key, { type: 'uint32', value: id });
  }
  const named = Object.entries(architecture?.tokensOfConfig ?? {});
  const config = named.length > 0 ? await configOf(folder) : {};
  for (const [role, from] of named) {
    const id: unknown = config[from];
    if (Number.isInteger(id) && Array.isArray(tokens) && (id as number) in tokens)
      metadata.set(`tokenizer.ggml.${role}_token_id`, { type: 'uint32', value: id as number });
  }
  const fixes = vocabSize === undefined ? undefined : architecture?.tokenizerFixes?.get(vocabSize);
  for (const [key, value] of [...(architecture?.tokenizerKeys ?? []), ...(fixes ?? [])]) metadata.set(key, value);
  return metadata;
}

async function configOf(folder: TokenizerFolder): Promise<Record<string, unknown>> {
  return (parsePythonJson((await folder.readText('config.json')) ?? '{}') ?? {}) as Record<string, unknown>;
}
