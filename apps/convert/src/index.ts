export { convertLora } from './convert-lora-definition.ts';
export { convert } from './definition.ts';
