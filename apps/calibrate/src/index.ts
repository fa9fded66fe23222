export { calibrate } from './definition.ts';
