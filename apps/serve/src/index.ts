export { serve } from './definition.ts';
