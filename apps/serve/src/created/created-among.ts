// Which of the models that a person names are created ones.
import { createdNamed } from '@quern/checkpoint';

/** Their names. @throws QuernError `manifest-damaged` */
export async function createdAmong(references: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await Promise.all(references.map(createdNamed));
  return new Set(found.flatMap((model) => model?.name ?? []));
}
