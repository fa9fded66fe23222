import { expect, test } from 'vitest';
import { formatTable } from './index.ts';

test('aligns by code points and trims line ends', () => {
  const columns = [{ header: 'model' }, { header: 'PPL', align: 'right' as const }, { header: 'note' }];
  const rows = [
    ['a.gguf', '6.23', 'x'],
    ['𝓆.gguf', '12.5'],
  ];
  expect(formatTable(columns, rows)).toBe('model    PPL  note\na.gguf  6.23  x\n𝓆.gguf  12.5');
});
