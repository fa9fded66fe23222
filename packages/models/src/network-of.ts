// The network of a model, whatever its container: the record of its architecture reads the metadata.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture } from './arch/architecture.ts';
import { architectureByGgufName } from './arch/index.ts';
import { maxExperts } from './arch/mixture.ts';
import type { Network } from './forward/network.ts';
import { metadataReader } from './metadata-reader.ts';
import { networkReader } from './network-reader.ts';

/**
 * The architecture record of a model, whatever its container.
 * @throws QuernError `unknown-architecture`, `unsupported-model`, `metadata-missing`, `metadata-bad-type`
 */
export function architectureOf(view: ModelView): Architecture {
  const read = metadataReader(view);
  const name = read.string('general.architecture');
  const hasExperts = read.optionalInteger(`${name}.expert_count`, 0, 0, maxExperts) > 0;
  return architectureByGgufName(name, hasExperts, view.path);
}

/**
 * @throws QuernError `metadata-missing`, `metadata-bad-type`, `metadata-bad-value`, `unsupported-model`,
 *   `unknown-architecture`, `tensor-missing` without token embeddings
 */
export function networkOf(view: ModelView): Network {
  const architecture = architectureOf(view);
  if (architecture.network) return architecture.network(networkReader(view, architecture.name));
  throw new QuernError('unsupported-model', `${architecture.family} models convert, and do not run yet.`, {
    file: view.path,
    remedy: 'docs/models.md says which models run.',
  });
}
