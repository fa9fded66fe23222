// The pages of APIs with fields of their own name every field that the code knows, as docs/serving-fields.md does for OpenAI's
// older endpoints.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { messagesShape, promptShape, refusedFields as refusedByAnthropic } from './anthropic/request-shape.ts';
import { oneReplyFields, oneReplyRefusals } from './generate/one-reply-fields.ts';
import { refusedFields as refusedByResponses, responsesShape } from './openai/responses/request-shape.ts';

const pageOf = (name: string): string => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), 'utf8');

it.each([
  {
    page: 'serving-anthropic',
    fields: [
      ...Object.keys({ ...messagesShape.shape, ...promptShape.shape }),
      ...refusedByAnthropic.map((row) => row.field),
    ],
    limit: 'max_tokens',
  },
  {
    page: 'serving-responses',
    fields: [...Object.keys(responsesShape.shape), ...refusedByResponses.map((row) => row.field)],
    limit: 'max_output_tokens',
  },
])('the page $page names every field', ({ page, fields, limit }) => {
  const text = pageOf(page);
  // The page refers to these as those of the other page.
  const elsewhere = new Set([...Object.keys(oneReplyFields), ...oneReplyRefusals(limit).map(({ field }) => field)]);
  expect(fields.filter((field) => !elsewhere.has(field) && !text.includes(`\`${field}`))).toEqual([]);
});
