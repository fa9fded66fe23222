// Chat templates of a checkpoint: in tokenizer_config.json (one, or a list with names), else chat_template.jinja, else
// chat_template.json; and those with names in additional_chat_templates/*.jinja (converter: gguf-py `SpecialVocab`,
// `GGUFWriter.add_chat_template`).

import { asObject, asString, type CheckpointFiles, type JsonObject, readJsonObject } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';

export async function writeChatTemplates(
  metadata: GgufLikeMetadata,
  files: CheckpointFiles,
  config: JsonObject | undefined,
): Promise<void> {
  const template =
    config?.chat_template ??
    (await files.readText('chat_template.jinja')) ??
    (await readJsonObject(files, 'chat_template.json'))?.chat_template;
  const others = await additionalTemplates(files);
  if (Array.isArray(template)) writeNamedTemplates(metadata, [...template, ...others]);
  else if (others.length > 0) {
    writeNamedTemplates(metadata, typeof template === 'string' ? [{ name: 'default', template }, ...others] : others);
  } else if (typeof template === 'string') {
    metadata.set('tokenizer.chat_template', { type: 'string', value: template });
  }
}

/** `additional_chat_templates/tool_use.jinja`: how transformers saves more than one. */
async function additionalTemplates(files: CheckpointFiles): Promise<{ name: string; template: string | undefined }[]> {
  const paths = (await files.chatTemplates?.()) ?? [];
  return Promise.all(
    paths.map(async (path) => ({
      name: path.replace(/^.*\//, '').replace(/\.jinja$/, ''),
      template: await files.readText(path),
    })),
  );
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
