// `tokenizer.*` keys of a checkpoint: what the tokenizer files say, then what the converter sets by vocabulary size.
import type { HfCheckpoint } from '@quern/checkpoint';
import type { GgufMetadata } from '@quern/gguf';
import { tokenizerMetadataFromHf } from '@quern/tokenizer';
import type { Architecture } from '../arch/architecture.ts';

/** @throws QuernError those of `tokenizerMetadataFromHf` */
export async function tokenizerMetadata(
  checkpoint: HfCheckpoint,
  architecture: Architecture,
  vocabSize: number,
): Promise<GgufMetadata> {
  const metadata: GgufMetadata = new Map(
    await tokenizerMetadataFromHf(checkpoint, { vocabSize, architecture: architecture.name }),
  );
  for (const [key, value] of architecture.tokenizerFixes?.get(vocabSize) ?? []) metadata.set(key, value);
  return metadata;
}
