// Flags of a server that makes vectors of texts.
import type { Pooling } from '@quern/models';
import type { Flag } from '@quern/terminal';

export interface EmbeddingFlags {
  embeddings?: boolean;
  pooling?: Pooling;
}

export const embeddingFlags: readonly Flag[] = [
  {
    flags: '--embeddings',
    description: 'make vectors of texts with a model that would generate; embedding models do without being told',
  },
  {
    flags: '--pooling <kind>',
    description: 'how the states of a text become one vector (default: as the model says)',
    choices: ['mean', 'cls', 'last'],
  },
];

/** For the engine; undefined: as the model says. */
export const readEmbeddings = ({ embeddings, pooling }: EmbeddingFlags): { pooling?: Pooling } | undefined =>
  embeddings || pooling !== undefined ? { pooling } : undefined;
