// Chat templates of a checkpoint: in tokenizer_config.json (one, or a list with names), else chat_template.jinja, else
// chat_template.json (converter: gguf-py `SpecialVocab`, `GGUFWriter.add_chat_template`).

import { asObject, asString, type CheckpointFiles, type JsonObject, readJsonObject } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';

export async function writeChatTemplates(
  metadata: GgufLikeMetadata,
  files: CheckpointFiles,
  config: JsonObject | undefined,
): Promise<void> {
  if (!config) return;
  const template =
    config.chat_template ??
    (await files.readText('chat_template.jinja')) ??
    (await readJsonObject(files, 'chat_template.json'))?.chat_template;
  if (typeof template === 'string') {
    metadata.set('tokenizer.chat_template', { type: 'string', value: template });
  } else if (Array.isArray(template)) {
    writeNamedTemplates(metadata, template);
  }
}

/** `[{"name": "default", "template": …}, {"name": "tool_use", …}]` */
function writeNamedTemplates(metadata: GgufLikeMetadata, choices: readonly unknown[]): void {
  const file = 'tokenizer_config.json';
  const names: string[] = [];
  let standard: string | undefined;
  choices.forEach((entry, index) => {
    const choice = asObject(entry, file, `chat_template[${index}]`);
    const template = asString(choice.template, file, `chat_template[${index}].template`);
    const name = asString(choice.name, file, `chat_template[${index}].name`).replace(/[^A-Za-z0-9]/g, '_');
    if (name === 'default') {
      standard = template;
    } else if (name !== '') {
      if (!names.includes(name)) names.push(name);
      metadata.set(`tokenizer.chat_template.${name}`, { type: 'string', value: template });
    }
  });
  if (names.length > 0) metadata.set('tokenizer.chat_templates', { type: 'array', of: 'string', value: names });
  if (standard !== undefined) metadata.set('tokenizer.chat_template', { type: 'string', value: standard });
}
