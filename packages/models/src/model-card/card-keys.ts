// Which key of a model card's front matter says which `general.*` key of GGUF, in the order in which llama.cpp's converter
// writes them. Sources: gguf-py metadata.py `apply_metadata_heuristic` and `set_gguf_meta_model`; the keys with `model_` and
// the bare ones are that converter's, the others are in use on the hub.

/** The card's keys by falling rank; of the first two, the second is the one that is written. */
export const textKeys: readonly [gguf: string, ...card: string[]][] = [
  ['name', 'name', 'model_name'],
  ['author', 'author', 'model_author', 'model_creator'],
  ['version', 'version', 'model_version'],
  ['organization', 'organization', 'model_organization'],
  ['finetune', 'finetune', 'model_finetune'],
  ['basename', 'basename', 'model_basename', 'model_type'],
  ['description', 'description', 'model_description'],
  ['size_label', 'size_label', 'model_size_label'],
  ['license', 'license'],
  ['license.name', 'license_name'],
  ['license.link', 'license_link'],
  ['source.url', 'url', 'model_url'],
  ['source.doi', 'doi', 'model_doi'],
  ['source.uuid', 'uuid', 'model_uuid'],
  ['source.repo_url', 'repo_url', 'model_repo_url'],
];

/** `general.base_model.<n>.*`, `general.dataset.<n>.*`; the first key that is there speaks. */
export const originKeys: readonly [gguf: string, ...card: string[]][] = [
  ['base_model', 'base_model', 'base_models', 'base_model_sources'],
  ['dataset', 'datasets', 'dataset', 'dataset_sources'],
];

/** What GGUF keeps of a base model or a data set. */
export const originFields = [
  ...['name', 'author', 'version', 'organization', 'description', 'url', 'doi', 'uuid', 'repo_url'],
] as const;

/** Lists; what several keys say is joined. */
export const listKeys: readonly [gguf: string, ...card: string[]][] = [
  ['tags', 'tags', 'pipeline_tag'],
  ['languages', 'languages', 'language'],
];
