// A prompt for text between two others (fill in the middle), of the model's own tokens for it. The order is llama-server's:
// repository and other files, prefix, suffix, and then the model writes the middle.
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';
import { encodeParts, encodeText, requireRoom, type TextOrigin } from '../text/encode-text.ts';

export interface OtherFile {
  readonly filename?: string | null;
  readonly text: string;
}

export interface FillIn {
  readonly prefix: string;
  readonly suffix: string;
  /** What stands around the file, for models that were trained on whole repositories. Default: nothing is said of it. */
  readonly others?: readonly OtherFile[];
  /** Where the middle has been begun. Special tokens in it are recognised; those in prefix and suffix are text. */
  readonly begun?: string;
}

/** Names that llama-server gives where none is known. */
const unnamed = { repository: 'myproject', file: 'filename', other: 'tmp' };
/** Where the model has no token between files. */
const filesApart = '\n\n--- snippet ---\n\n';

/**
 * @param origin the field that asks for it
 * @throws ApiError 400 when the model has no tokens for it
 */
export async function fillInPrompt(model: ServedModel, text: FillIn, origin: TextOrigin): Promise<Int32Array> {
  const { id, tokenizer } = model;
  const { prefix, suffix, middle, repository, file } = tokenizer.fillIn;
  if (prefix === undefined || suffix === undefined || middle === undefined) {
    const message = `The model "${id}" has no tokens for text that is inserted (fill in the middle).`;
    throw new ApiError(400, 'unsupported_parameter', message, { param: origin.param });
  }
  const marked = (marker: number | undefined, name: string) => (marker === undefined ? [] : [marker, `${name}\n`]);
  const before = ({ filename, text: content }: OtherFile) => [
    ...(file === undefined ? [filesApart] : marked(file, filename ?? unnamed.other)),
    content,
  ];
  const around = text.others && [
    ...marked(repository, unnamed.repository),
    ...text.others.flatMap(before),
    ...marked(file, unnamed.file),
  ];
  const bos = tokenizer.addBos && tokenizer.bos !== undefined ? [tokenizer.bos] : [];
  const texts = [...(around ?? []), text.prefix, text.begun ?? '', text.suffix];
  requireRoom(
    model,
    texts.filter((part) => typeof part === 'string'),
    origin.param,
  );
  const plain = (parts: readonly (number | string)[]) => encodeParts(model, parts, {}, origin.signal);
  return Int32Array.from([
    ...(await plain([...(around ?? []), ...bos, prefix, text.prefix])),
    ...(await encodeText(model, text.begun ?? '', { parseSpecial: true }, origin.signal)),
    ...(await plain([suffix, text.suffix, middle])),
  ]);
}
