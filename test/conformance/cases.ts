// Every case of every op.
import { actOpCases } from './act-cases.ts';
import { attentionCases, kvWriteCases } from './attention-cases.ts';
import type { Case } from './case.ts';
import { expertCases } from './expert-cases.ts';
import { embedCases, matmulCases } from './matmul-cases.ts';
import { rowCases } from './row-cases.ts';
import { sequenceCases } from './sequence-cases.ts';

export const cases: readonly Case[] = [
  ...matmulCases,
  ...embedCases,
  ...attentionCases,
  ...kvWriteCases,
  ...rowCases,
  ...actOpCases,
  ...expertCases,
  ...sequenceCases,
];
