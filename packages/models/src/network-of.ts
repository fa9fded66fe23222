// The network of a model, whatever its container: the record of its architecture reads the metadata.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture } from './arch/architecture.ts';
import { architectureByGgufName } from './arch/index.ts';
import { maxExperts } from './arch/mixture.ts';
import type { Network } from './forward/network.ts';
import { metadataReader } from './metadata-reader.ts';
import { networkReader } from './network-reader.ts';
import { readPooling } from './read-pooling.ts';

/**
 * The architecture record of a model, whatever its container.
 * @throws QuernError `not-a-model`, `unknown-architecture`, `unsupported-model`, `metadata-missing`,
 *   `metadata-bad-type`
 */
export function architectureOf(view: ModelView): Architecture {
  const read = metadataReader(view);
  refuseOtherFiles(view.path, read.optionalString('general.type'), read.optionalString('general.architecture'));
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
  if (architecture.network) {
    const read = networkReader(view, architecture.name);
    const network = architecture.network(read);
    const pooling = readPooling(read, view);
    return pooling ? { ...network, pooling } : network;
  }
  throw new QuernError('unsupported-model', `${architecture.family} models convert, and do not run yet.`, {
    file: view.path,
    remedy: 'docs/models.md says which models run.',
  });
}

/** GGUF files that stand beside a model, by their `general.type` (gguf-py constants.py GGUFType). */
const besideModels: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  adapter: [
    'a LoRA adapter',
    'Give the model that it was made for, and this with --lora (quern serve, quern convert).',
  ],
  mmproj: ['the projector for images or sound (mmproj) of a model', 'Give the model that it belongs to.'],
  imatrix: ['an importance matrix', 'Give it with --imatrix to quern quantize, beside a model.'],
};

function refuseOtherFiles(file: string, type: string | undefined, architecture: string | undefined): void {
  // Projectors from before `general.type` was written.
  const found = besideModels[architecture === 'clip' ? 'mmproj' : (type ?? '')];
  if (found) throw new QuernError('not-a-model', `The file is ${found[0]}, not a model.`, { file, remedy: found[1] });
}
