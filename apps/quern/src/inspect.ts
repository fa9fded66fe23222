// `quern inspect`: what is in files of weights, read from their headers alone, here or far away.
import { type CommandContext, printJson, printLine } from '@quern/terminal';
import { reportOf } from './inspect/report.ts';
import { openSubject } from './inspect/subject.ts';
import { summaryText } from './inspect/summary.ts';
import { metadataTable, tensorTable, typeTable } from './inspect/tables.ts';

export interface InspectOptions {
  tensors?: boolean;
  metadata?: boolean;
  json?: boolean;
}

export async function inspect(model: string, options: InspectOptions, { signal }: CommandContext): Promise<undefined> {
  const subject = await openSubject(model, signal);
  try {
    if (options.json) {
      printJson(await reportOf(model, subject));
      return;
    }
    printLine(await summaryText(model, subject));
    const { description, metadata, tensors } = subject;
    if (tensors.size > 0) printLine(`\n${typeTable(description)}`);
    if (metadata.size > 0) printLine(`\n${metadataTable(metadata, options.metadata ?? false)}`);
    if (tensors.size > 0) printLine(`\n${tensorTable(tensors, options.tensors ?? false)}`);
  } finally {
    await subject.close();
  }
}
