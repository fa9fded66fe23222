export { evaluate } from './definition.ts';
