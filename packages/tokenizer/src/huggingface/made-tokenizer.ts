// A tokenizer that no tokenizer.json describes, with what one would say: made of older files, each by a reader of its own.
import type { BpePlaces } from './bpe-model.ts';
import type { JsonObject } from './checkpoint-files.ts';

export interface MadeTokenizer {
  /** As tokenizer.json has it. */
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json with what the class takes for granted. */
  readonly config: JsonObject;
  /** Where vocabulary and merges really stand. */
  readonly places: BpePlaces;
  /** The converter writes scores, all of them 0. */
  readonly scores?: boolean;
}
