// The thread that compiles grammars, and lays the vocabulary of the model out that they are for.
import { parentPort, workerData } from 'node:worker_threads';
import { checkTrigger, compileGrammar, type VocabularyTree } from '@quern/grammar';
import { openModel } from '@quern/models';
import { sourceOf } from './asked-grammar.ts';
import type { CompileOutcome, CompileTask, GrammarModel } from './grammar-compiler.ts';
import { errorToData } from './protocol.ts';
import { readVocabulary } from './vocabulary.ts';

const model = workerData as GrammarModel | undefined;
let tree: Promise<VocabularyTree | undefined> | undefined;

async function treeOf({ modelPath, override }: GrammarModel): Promise<VocabularyTree> {
  const view = await openModel(modelPath, { override });
  try {
    return readVocabulary(view.metadata).tree;
  } finally {
    await view.close();
  }
}

parentPort!.on('message', async ({ source, trigger, tokens, vocabSize }: CompileTask) => {
  const answer = (outcome: CompileOutcome): void => parentPort!.postMessage(outcome);
  try {
    const program = compileGrammar(sourceOf(source), { tokenOf: (text) => tokens.get(text), vocabSize });
    if (trigger) checkTrigger(program, trigger);
    // Where the file is there no more, the engine's thread does it, which has read it.
    tree ??= model && treeOf(model).catch(() => undefined);
    answer({ program, tree: await tree });
  } catch (error) {
    answer({ error: errorToData(error) });
  }
});
