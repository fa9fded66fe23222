export { type GbnfOptions, parseGbnf } from './gbnf/parse.ts';
export { jsonSchemaRules } from './json-schema/compile.ts';
export { programOf } from './machine/lower.ts';
export { Automaton, GrammarMatcher } from './matcher.ts';
export { TokenMask } from './tokens/token-mask.ts';
export { type TokenBytes, TokenTrie } from './tokens/token-trie.ts';
