import { dtypeByName } from '@quern/blocks';
import { expect, test } from 'vitest';
import { completePlan } from '../plan/plan.ts';
import { usefulThreads } from './useful-threads.ts';

const plan = (rows: number, from: string, to: string) =>
  completePlan('X', new Map(), [
    { name: 't', shape: [rows, 4096], rows, cols: 4096, from: dtypeByName(from), to: dtypeByName(to), rule: '' },
  ]);

test.each([
  ['a vector', plan(1, 'F32', 'F32'), 1],
  ['a copy of gigabytes', plan(1_000_000, 'BF16', 'BF16'), 4],
  ['40 MB to code', plan(5_000, 'BF16', 'Q4_K'), 10],
  ['gigabytes to code', plan(1_000_000, 'BF16', 'Q4_K'), 64],
])('%s, on 64 cores', (_, given, threads) => expect(usefulThreads([given], 64)).toBe(threads));
