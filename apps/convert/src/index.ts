export { convert } from './definition.ts';
