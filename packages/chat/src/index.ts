export { analyseTemplate } from './analysis/analyse-template.ts';
export type { Special } from './analysis/probe.ts';
export { blamedOn, type ReplyConstraint, replyGrammar, replySketch } from './constraints/reply-grammar.ts';
export type { ChatFormat, ToolDefinition } from './format.ts';
export { formatTags } from './format-tags.ts';
export { type Prompt, type PromptOptions, promptOf, promptRendering, renderPrompt } from './prompt/render-prompt.ts';
export type { ReplyEvent } from './reply/events.ts';
export { createReplyReader, type ReplyOptions, type ReplyReader } from './reply/reply-reader.ts';
