// Which of the models that a person names are created ones. A path wins over a name of the same spelling.
import { existsSync } from 'node:fs';
import { CreatedModels } from '@quern/checkpoint';
import { hubSettings } from '@quern/source';

/** @throws QuernError `manifest-damaged` */
export async function createdNamed(references: readonly string[]): Promise<ReadonlySet<string>> {
  const created = new CreatedModels((await hubSettings({})).cacheDir);
  const found = await Promise.all(
    references.map((reference) =>
      existsSync(reference) ? undefined : created.find(reference.replace(/:latest$/, '')),
    ),
  );
  return new Set(found.flatMap((model) => model?.name ?? []));
}
