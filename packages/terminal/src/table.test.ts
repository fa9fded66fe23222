import { expect, test } from 'vitest';
import { formatTable } from './index.ts';

const model = { header: 'model' };
const number = (header: string, lesser?: number) => ({ header, align: 'right' as const, lesser });

test('aligns by code points and trims line ends', () => {
  const rows = [
    ['a.gguf', '6.23', 'x'],
    ['𝓆.gguf', '12.5'],
  ];
  expect(formatTable([model, number('PPL'), { header: 'note' }], rows)).toBe(
    'model    PPL  note\na.gguf  6.23  x\n𝓆.gguf  12.5',
  );
});

test('what is too wide gives up its lesser columns and says which', () => {
  const columns = [model, number('size', 1), number('PPL'), number('tokens/s', 2)];
  const rows = [['a.gguf', '1.00 GiB', '6.2345', '123']];
  expect(formatTable(columns, rows, 34)).toBe('model       size     PPL  tokens/s\na.gguf  1.00 GiB  6.2345       123');
  expect(formatTable(columns, rows, 25)).toBe(
    'model       size     PPL\na.gguf  1.00 GiB  6.2345\n(not shown for want of\nwidth: tokens/s; --json\nhas all)',
  );
  expect(formatTable(columns, rows, 20)).toMatch(/^model +PPL\na\.gguf +6\.2345\n/);
});

test('then texts are shortened in their middle', () => {
  const rows = [['a-model-with-a-long-name-Q4_K_M.gguf', '6.2345']];
  expect(formatTable([model, number('PPL')], rows, 28)).toBe(
    'model                    PPL\na-model-wi…_K_M.gguf  6.2345',
  );
});

test.each([40, 60, 80, 132])('fits %i columns, whatever the names', (width) => {
  const columns = [model, { header: 'type' }, number('size', 1), number('a', 2), number('b', 3), { header: 'note' }];
  const rows = Array.from({ length: 5 }, (_, i) => [
    'n'.repeat(30 * i),
    'Q4_K_M',
    '123 MiB',
    '1.234',
    '5.678',
    'x'.repeat(20 * i),
  ]);
  for (const line of formatTable(columns, rows, width).split('\n')) expect([...line].length).toBeLessThanOrEqual(width);
});
