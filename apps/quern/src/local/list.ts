// `quern list`: what is on this machine, in the hub's cache and in folders of models.
import {
  CreatedModels,
  cachedModels,
  type DamagedManifest,
  folderModels,
  headerFacts,
  type LocalModel,
} from '@quern/checkpoint';
import { cachedRepositories, hubSettings } from '@quern/source';
import { formatBytes, formatTable, printable, printJson, printLine, printNote } from '@quern/terminal';

export interface ListOptions {
  modelsDir?: readonly string[];
  json?: boolean;
}

/** @throws QuernError `models-folder-missing` */
export async function list({ modelsDir = [], json }: ListOptions): Promise<undefined> {
  const { cacheDir } = await hubSettings({});
  const folders = await Promise.all(modelsDir.map(folderModels));
  const models = [...(await cachedModels(cacheDir)), ...folders.flat()];
  const rows: Row[] = [];
  // One header at a time: each may take some megabytes to read.
  for (const model of models) rows.push(rowOf(model, await headerFacts(model)));
  const created = await createdRows(new CreatedModels(cacheDir));
  rows.push(...created.rows);
  const unfinished = await unfinishedIn(cacheDir);
  if (json) {
    printJson({ cache: cacheDir, models: rows, unfinished });
    return;
  }
  for (const { file, fault } of created.damaged) printNote(`${printable(file)}: ${fault}`);
  if (rows.length === 0) printNote(`No models in ${cacheDir}${modelsDir.map((dir) => `, ${dir}`).join('')}.`);
  else printLine(tableOf(rows));
  for (const { model, bytes } of unfinished)
    printNote(`unfinished: ${printable(model)}, ${formatBytes(bytes)}; quern pull goes on with it`);
}

const rowOf = (
  { name, kind, path, bytes, modifiedMs, complete }: LocalModel,
  { architecture, quant, fault }: Awaited<ReturnType<typeof headerFacts>>,
) => ({
  name,
  kind,
  path,
  bytes,
  modified: new Date(modifiedMs).toISOString(),
  complete,
  ...(quant !== undefined && { quant }),
  ...(architecture !== undefined && { architecture }),
  ...(fault !== undefined && { fault }),
});
type Row = Omit<ReturnType<typeof rowOf>, 'kind'> & { kind: LocalModel['kind'] | 'created'; from?: string };

/** Those that people created of others, or of files that they sent. */
async function createdRows(created: CreatedModels): Promise<{ rows: Row[]; damaged: DamagedManifest[] }> {
  const { models, damaged } = await created.list();
  const rows = models.map(async (model): Promise<Row> => {
    const { name, from, weights, createdMs } = model;
    const { bytes, complete } = await created.filesOf(model);
    const path = created.placeOf(weights);
    const modified = new Date(createdMs).toISOString();
    return { name, kind: 'created', path, bytes, modified, complete, ...(from !== undefined && { from }) };
  });
  return { rows: await Promise.all(rows), damaged };
}

function tableOf(rows: readonly Row[]): string {
  const columns = [
    { header: 'name' },
    { header: 'quant', lesser: 1 },
    { header: 'size', align: 'right' as const },
    { header: 'modified', lesser: 3 },
    { header: 'architecture', lesser: 2 },
  ];
  const cells = rows.map(({ name, quant = '', bytes, modified, from, complete, fault, ...row }) => {
    const architecture = row.architecture ?? (from === undefined ? '' : `from ${from}`);
    const state = fault !== undefined ? 'unreadable' : complete ? architecture : `${architecture} (incomplete)`.trim();
    const day = modified.slice(0, 16).replace('T', ' ');
    return [printable(name), printable(quant), formatBytes(bytes), day, printable(state)];
  });
  return formatTable(columns, cells);
}

async function unfinishedIn(cacheDir: string): Promise<{ model: string; bytes: number }[]> {
  const repositories = await cachedRepositories(cacheDir);
  return repositories.flatMap(({ repo, unfinished }) => {
    const bytes = unfinished.reduce((sum, { size }) => sum + size, 0);
    return unfinished.length === 0 ? [] : [{ model: repo, bytes }];
  });
}
