// A tool in Anthropic's API.
import { z } from 'zod';
import { anyObject } from '../large-shapes.ts';

export const tool = z.looseObject({
  type: z
    .literal('custom', {
      error: ({ input }) => `tools of type "${input}" are Anthropic's own; describe a tool by its input_schema`,
    })
    .nullish(),
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: anyObject,
  strict: z.boolean().nullish(),
  input_examples: z.array(z.unknown()).nullish(),
  /** Not offered before something in the conversation names it. */
  defer_loading: z.boolean().nullish(),
});

export type Tool = z.infer<typeof tool>;
