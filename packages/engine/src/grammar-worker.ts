// The thread that compiles grammars.
import { parentPort } from 'node:worker_threads';
import { checkTrigger, compileGrammar } from '@quern/grammar';
import type { CompileOutcome, CompileTask } from './grammar-compiler.ts';
import { errorToData } from './protocol.ts';

parentPort!.on('message', ({ id, source, trigger, tokens, vocabSize }: CompileTask) => {
  const answer = (outcome: CompileOutcome): void => parentPort!.postMessage(outcome);
  try {
    const program = compileGrammar(source, { tokenOf: (text) => tokens.get(text), vocabSize });
    if (trigger) checkTrigger(program, trigger);
    answer({ id, program });
  } catch (error) {
    answer({ id, error: errorToData(error) });
  }
});
