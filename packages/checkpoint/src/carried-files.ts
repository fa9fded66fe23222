// The files of a checkpoint that weights written anew take along.

/** Files that say how text becomes tokens and how tokens are chosen, and the model card with its licence: they stay when weights are written anew. */
export const carriedFiles: readonly string[] = [
  'generation_config.json',
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'vocab.txt',
  'sentencepiece.bpe.model',
  'tekken.json',
  'tiktoken.model',
  'hy.tiktoken',
  'qwen.tiktoken',
  'chat_template.jinja',
  'chat_template.json',
  'README.md',
];

/** `tokenizer.model.v3`: Mistral's SentencePiece models. */
export const isVersionedModel = (name: string): boolean => /^tokenizer\.model\.v\d[\w.]*$/.test(name);

/** Whether a file's name is that of a vocabulary: without one there is no tokenizer. */
export const isVocabularyFile = (name: string): boolean =>
  vocabularyFiles.includes(name) || name.endsWith('.tiktoken') || isVersionedModel(name);

const vocabularyFiles: readonly string[] = [
  ...['tokenizer.json', 'tokenizer.model', 'vocab.json', 'vocab.txt', 'tekken.json', 'tiktoken.model'],
  'sentencepiece.bpe.model',
];

/** Where transformers saves chat templates that have a name. */
export const chatTemplateFolder = 'additional_chat_templates';

/** `additional_chat_templates/tool_use.jinja`; such files are carried too. */
export const isChatTemplate = (name: string): boolean => /^additional_chat_templates\/[^/\\:\0]+\.jinja$/.test(name);

/** `1_Pooling/config.json`, `2_Dense/model.safetensors`: the modules of sentence-transformers that modules.json lists. */
export const isModuleFile = (name: string): boolean => /^\d+_\w+\/(config\.json|model\.safetensors)$/.test(name);
