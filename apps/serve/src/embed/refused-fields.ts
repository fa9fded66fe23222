// Fields of other servers' vectors and ranks that would change them, and are not there: vLLM's, Cohere's and TEI's.
import { asksForSomething, type RefusedField } from '../generate/refused-fields.ts';

const given = (value: unknown): boolean => value !== undefined && value !== null;
const asModel = 'Vectors and scores are as the model makes them.';

export const refusedFields: readonly RefusedField[] = [
  { field: 'messages', asks: given, why: 'Give the text itself, as input.' },
  { field: 'input_type', asks: asksForSomething, why: 'Write what the model wants in front of the text.' },
  { field: 'instruction', asks: asksForSomething, why: 'Write it in front of the text.' },
  { field: 'prompt_name', asks: asksForSomething, why: 'Write what the model wants in front of the text.' },
  { field: 'add_special_tokens', asks: (value) => value === false, why: 'Give token ids: nothing is added to them.' },
  { field: 'truncate', asks: asksForSomething, why: 'A text is never cut.' },
  { field: 'max_tokens_per_doc', asks: asksForSomething, why: 'A text is never cut.' },
  { field: 'max_chunks_per_doc', asks: asksForSomething, why: 'A text is never cut.' },
  { field: 'embed_dtype', asks: (value) => given(value) && value !== 'float32', why: 'Numbers are F32.' },
  {
    field: 'endianness',
    asks: (value) => given(value) && value !== 'native' && value !== 'little',
    why: 'Bytes are little-endian.',
  },
  {
    field: 'embedding_types',
    asks: asksForSomething,
    why: 'Numbers are F32; encoding_format says how they are written.',
  },
  { field: 'normalize', asks: (value) => value === false, why: `${asModel} /embedding has embd_normalize.` },
  { field: 'use_activation', asks: (value) => value === true, why: asModel },
  { field: 'activation', asks: (value) => value === true, why: asModel },
  { field: 'raw_scores', asks: (value) => value === false, why: asModel },
  { field: 'task', asks: asksForSomething, why: asModel },
];
