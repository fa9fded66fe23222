// What `quern inspect` looks at: the contents of the files as they are, and where quern knows the model, the model too.
import {
  type Contents,
  findCreated,
  findPlace,
  type ModelPlace,
  type ModelView,
  openContents,
} from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  type ContentsDescription,
  describeContents,
  describeModel,
  type LayerNumber,
  type ModelDescription,
  openModel,
} from '@quern/models';

/** Of a model that quern runs, `hyperparameters` are all that it needs; of others, those that are given. */
export interface SubjectDescription extends Omit<ContentsDescription, 'hyperparameters'> {
  hyperparameters: ModelDescription['hyperparameters'] | Readonly<Record<string, LayerNumber>>;
  kvBytesPerToken?: ModelDescription['kvBytesPerToken'];
}

export interface Subject {
  readonly contents: Contents;
  readonly description: SubjectDescription;
  /** Of a folder that quern can convert, those of the GGUF file that it would make. */
  readonly metadata: Contents['metadata'];
  readonly tensors: Contents['tensors'];
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** @throws QuernError those of `findPlace` and `openContents` */
export async function openSubject(ref: string, signal: AbortSignal): Promise<Subject> {
  const created = await findCreated(ref);
  const place = await findPlace(created?.weights ?? ref, { signal });
  const notes = created ? [`the weights of ${created.model.name}, which was created (quern list)`] : [];
  const contents = await openContents(place, { signal, onNote: (note) => notes.push(note) });
  const described = describeContents(contents);
  const asItIs: Subject = { ...contents, contents, description: described, notes };
  if (described.kind !== 'model') return asItIs;
  let view: ModelView | undefined;
  try {
    view = await viewOf(place, contents);
    if (!view) return asItIs;
    const { metadata, tensors } = view;
    const fileType = metadata.get('general.file_type')?.value;
    const description = {
      ...described,
      ...describeModel(view),
      ...(typeof fileType === 'number' && { fileType }),
    };
    const close = async (): Promise<void> => {
      await Promise.all([view?.close(), contents.close()]);
    };
    return { contents, description, metadata, tensors, notes: [...notes, ...(view.notes ?? [])], close };
  } catch (error) {
    await view?.close();
    if (!(error instanceof QuernError)) throw error;
    notes.push(`shown as it is, since quern cannot run it: ${error.message}`);
    return asItIs;
  }
}

/** The model behind the contents, in GGUF terms. Undefined for weights whose other files are not here. */
async function viewOf(place: ModelPlace, contents: Contents): Promise<ModelView | undefined> {
  if (contents.container === 'gguf') return { ...contents, close: async () => {} };
  return place.kind === 'folder' ? openModel(place.path) : undefined;
}
