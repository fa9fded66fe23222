// The files beside Mistral's own weights, as far as others look for transformers' names.
import type { HfCheckpoint } from '../model-view.ts';

type SideFiles = Pick<HfCheckpoint, 'readBytes' | 'readText' | 'chatTemplates' | 'fileNames'>;

/** What SentencePiece models of Mistral have around a text; tekken.json says it itself. */
const aroundText = JSON.stringify({ add_bos_token: true, add_eos_token: false });

export function mistralSideFiles(files: SideFiles, config: HfCheckpoint['config']): SideFiles {
  const hasTekken = async () => ((await files.fileNames?.()) ?? []).includes('tekken.json');
  /** In place of a file; undefined leaves it. */
  const instead = async (name: string): Promise<string | null | undefined> => {
    if (name === 'config.json') return JSON.stringify(config);
    // The two say the same; Mistral's own file is the one that these weights were published with.
    if (name === 'tokenizer.json' && (await hasTekken())) return null;
    const isMissing = name === 'tokenizer_config.json' && (await files.readBytes(name)) === undefined;
    return isMissing && !(await hasTekken()) ? aroundText : undefined;
  };
  return {
    ...files,
    readText: async (name) => {
      const text = await instead(name);
      return text === undefined ? files.readText(name) : (text ?? undefined);
    },
    readBytes: async (name) => {
      const text = await instead(name);
      if (text === undefined) return files.readBytes(name);
      return text === null ? undefined : new TextEncoder().encode(text);
    },
  };
}
