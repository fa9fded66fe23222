/** The TypeScript of a page, block by block. */
export const codeBlocks = (markdown: string): string[] =>
  [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
