// A client's schema as what its reply is held to.
import type { GrammarSource } from '@quern/grammar';

/**
 * Closed, as llama.cpp's, Ollama's and vLLM's grammars are: what libraries make of classes (pydantic) never speaks of other properties,
 * and a weak model goes on inventing some until its tokens are used up.
 */
export const schemaSource = (schema: unknown): GrammarSource => ({ kind: 'json-schema', schema, closed: true });
