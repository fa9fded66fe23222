// `tokenizer.*` keys of a checkpoint: what the tokenizer files say, then what the converter sets by vocabulary size.
import { join } from 'node:path';
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import { tokenizerMetadataFromHf } from '@quern/tokenizer';
import type { Architecture } from '../arch/architecture.ts';

/** @throws QuernError those of `tokenizerMetadataFromHf` */
export async function tokenizerMetadata(
  checkpoint: HfCheckpoint,
  architecture: Architecture,
  vocabSize: number,
): Promise<GgufMetadata> {
  const settings = { vocabSize, architecture: architecture.name };
  const made = await tokenizerMetadataFromHf(checkpoint, settings).catch((error: unknown) => {
    if (!(error instanceof QuernError)) throw error;
    // The tokenizer package knows texts by their names, not where they lie.
    const { code, message, file = '', offset, remedy } = error;
    throw new QuernError(code, message, { file: join(checkpoint.path, file), offset, remedy, cause: error });
  });
  const metadata: GgufMetadata = new Map(made);
  for (const [key, value] of architecture.tokenizerFixes?.get(vocabSize) ?? []) metadata.set(key, value);
  return metadata;
}
