// The k most likely tokens.
import type { StageKind } from './stage.ts';

export const topK: StageKind = {
  letter: 'k',
  keepsBest: true,
  stage: ({ topK: count }) => (count > 0 ? { apply: (candidates) => candidates.keepHighest(count) } : undefined),
};
