// A kept text as a file: it comes back with the adapters that it was computed with.
import { expect, it } from 'vitest';
import { decodeText, encodeText } from './text-file.ts';

const sizes = { blockTokens: 2, blockBytes: 3, slotBytes: 1 };
const text = (scope: string) => ({
  scope,
  tokens: [5, 6, 7],
  blocks: [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)],
  snapshots: [{ position: 2, bytes: Uint8Array.of(9) }],
});

it.each(['', '0=1', '0=0.5 3=-1'])('keeps a text of the scope %j', async (scope) => {
  const bytes = await encodeText(text(scope), 'model');
  expect(await decodeText(bytes, 'model', sizes, 'file')).toEqual(text(scope));
});

it('is refused by a model with other adapters, whose fingerprint is another', async () => {
  const bytes = await encodeText(text('0=1'), 'model with one adapter');
  await expect(decodeText(bytes, 'model with another', sizes, 'file')).rejects.toMatchObject({
    code: 'slot-file-foreign',
  });
});
