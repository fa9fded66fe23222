// Large files are also shared in pieces, as `split` cuts them: `model.gguf.part1of2`, `model.gguf-split-a`, `model.gguf.aa`.
// A piece is no file of the format; joined in order they are the file again.
import { QuernError } from '@quern/errors';

const piece =
  /^(.+\.(?:gguf|safetensors|bin))(?:[-._](?:part|split|chunk)[-._]?(?:\d+|[a-z]{1,2})(?:[-_]?of[-_]?\d+)?|\.(?:[a-z]{2}|\d{2,3}))$/i;
/** What `quern quantize --shard` writes, which is put together in another way. */
const ownPart = /\.part-\d{5}-of-\d{5}$/;

/**
 * @param names of a folder, or of the one file that was given and its neighbours
 * @param given the one file
 * @throws QuernError `checkpoint-in-pieces` when it, or a file of the folder, is a piece
 */
export function refusePieces(names: readonly string[], place: string, given?: string): void {
  const whole = (given === undefined ? names : [given]).map((name) => piece.exec(name)?.[1]).find(Boolean);
  if (whole === undefined) return;
  const pieces = names
    .filter((name) => piece.exec(name)?.[1] === whole)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const own = pieces.every((name) => ownPart.test(name));
  const list = pieces
    .slice(0, 8)
    .map((name) => JSON.stringify(name))
    .join(' ');
  const all = pieces.length > 8 ? `${list} …` : list;
  throw new QuernError('checkpoint-in-pieces', `${pieces.length} files are pieces of ${JSON.stringify(whole)}.`, {
    file: place,
    remedy: own
      ? `Put them together: quern merge ${all}.`
      : `Join all of them in order, and give the result: cat ${all} > ${JSON.stringify(whole)}.`,
  });
}
