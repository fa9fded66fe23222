export { Constraint } from './constraint.ts';
export type { Program } from './machine/program.ts';
export { Automaton, GrammarMatcher } from './matcher.ts';
export { compileGrammar, type GrammarSource } from './source.ts';
export { tokenNames } from './token-names.ts';
export { TokenMask } from './tokens/token-mask.ts';
export { type TokenBytes, TokenTrie } from './tokens/token-trie.ts';
export { checkTrigger, LazyConstraint } from './trigger/lazy-constraint.ts';
export type { GrammarTrigger } from './trigger/starter.ts';
