// Types that the user gives to tensors by name: `attn_v=Q6_K`. The pattern is a regular expression that is looked for
// anywhere in the name, in lower case as in llama-quantize; the first that is found decides.
import { readFile } from 'node:fs/promises';
import { type DType, dtypeByName, dtypes } from '@quern/blocks';
import { QuernError } from '@quern/errors';

export interface TensorTypeRule {
  /** As given, for messages. */
  readonly text: string;
  readonly pattern: RegExp;
  readonly to: DType;
}

/**
 * @param text `PATTERN=TYPE`, or `@FILE` with such words separated by white space
 * @throws QuernError `usage-tensor-type`, `usage-ggml-type`, `tensor-type-file-unreadable`
 */
export async function readTensorTypes(texts: readonly string[]): Promise<TensorTypeRule[]> {
  const rules: TensorTypeRule[] = [];
  for (const text of texts) {
    const words = text.startsWith('@') ? await readWords(text.slice(1)) : [text];
    rules.push(...words.map(parseTensorType));
  }
  return rules;
}

async function readWords(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new QuernError('tensor-type-file-unreadable', `The file cannot be read: ${cause.message}.`, { file, cause });
  });
  return text.split(/\s+/).filter((word) => word !== '');
}

function parseTensorType(text: string): TensorTypeRule {
  const equals = text.indexOf('=');
  const usage = (what: string, cause?: unknown) =>
    new QuernError('usage-tensor-type', `'${text}' ${what}.`, {
      remedy: 'Write PATTERN=TYPE, for example attn_v=Q6_K.',
      cause,
    });
  if (equals < 1) throw usage('has no pattern before an equals sign');
  const to = ggmlType(text.slice(equals + 1));
  try {
    return { text, pattern: new RegExp(text.slice(0, equals).toLowerCase()), to };
  } catch (cause) {
    throw usage(`is no regular expression: ${(cause as Error).message}`, cause);
  }
}

/** A type that GGUF can store weights in, in any case. @throws QuernError `usage-ggml-type` listing them */
export function ggmlType(name: string): DType {
  const storable = dtypes.filter(
    (dtype) => dtype.ggmlId !== undefined && !/^[IQ]8_[1K]$|^[IF]\d\d$|^I8$/.test(dtype.name),
  );
  const wanted = name.toUpperCase();
  const plain = ['F32', 'F16'].includes(wanted) ? dtypeByName(wanted) : undefined;
  const found = plain ?? storable.find((dtype) => dtype.name === wanted);
  if (found) return found;
  throw new QuernError('usage-ggml-type', `'${name}' is no type of weights.`, {
    remedy: `Use one of F32, F16, ${storable.map((dtype) => dtype.name).join(', ')}.`,
  });
}
