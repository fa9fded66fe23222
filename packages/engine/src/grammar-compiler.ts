// Grammars are compiled in a thread of their own: a schema that takes its second holds up neither the caller nor the tokens of
// others. That thread lays the model's vocabulary out as a tree, too. What it makes lies in shared memory, so it costs nobody a copy.
import type { Worker } from 'node:worker_threads';
import type { GrammarTrigger, VocabularyTree } from '@quern/grammar';
import { spawnWorker } from '@quern/workers';
import { keyOf, namesIn } from './asked-grammar.ts';
import { Mailbox } from './mailbox.ts';
import { crashed } from './not-answering.ts';
import { type EngineOptions, type ErrorData, errorFromData } from './protocol.ts';
import type { AskedGrammar, CompiledGrammar } from './request.ts';

/** What a grammar may name. */
export interface GrammarVocabulary {
  /** The token whose text this is. */
  readonly tokenOf: (text: string) => number | undefined;
  readonly vocabSize: number;
}

/** Whose vocabulary it is. */
export type GrammarModel = Pick<EngineOptions, 'modelPath' | 'override'>;

export interface CompileTask {
  readonly id: number;
  readonly source: AskedGrammar;
  readonly trigger?: GrammarTrigger;
  readonly tokens: ReadonlyMap<string, number | undefined>;
  readonly vocabSize: number;
}

export type CompileOutcome =
  | { readonly id: number; readonly program: CompiledGrammar['program']; readonly tree?: VocabularyTree }
  | { readonly id: number; readonly error: ErrorData };

const maxKept = 32;
const maxKeptBytes = 64 * 2 ** 20;

interface Kept {
  readonly made: Promise<CompiledGrammar>;
  /** Undefined while it is being made. */
  compiled?: CompiledGrammar;
  bytes: number;
}

export class GrammarCompiler {
  #worker?: Worker;
  readonly #waiting = new Map<number, Mailbox<CompileOutcome>>();
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept>();
  readonly #model?: GrammarModel;
  #nextId = 0;

  /** @param model without it, who uses the grammars lays its vocabulary out itself */
  constructor(model?: GrammarModel) {
    this.#model = model;
  }

  /** @throws QuernError `grammar-…`, `schema-…`, `engine-crashed` */
  compile(
    source: AskedGrammar,
    vocabulary: GrammarVocabulary,
    trigger: GrammarTrigger | undefined,
  ): Promise<CompiledGrammar> {
    const key = keyOf(source, trigger);
    const known = this.#kept.get(key);
    const kept = known ?? { made: this.#make(key, source, vocabulary, trigger), bytes: 0 };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (!known)
      kept.made.then(
        (compiled) => this.#keep(kept, compiled),
        () => this.#kept.delete(key),
      );
    return kept.made;
  }

  /** What has been compiled of it already. */
  known(source: AskedGrammar, trigger: GrammarTrigger | undefined): CompiledGrammar | undefined {
    return this.#kept.get(keyOf(source, trigger))?.compiled;
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #make(
    key: string,
    source: AskedGrammar,
    { tokenOf, vocabSize }: GrammarVocabulary,
    trigger: GrammarTrigger | undefined,
  ): Promise<CompiledGrammar> {
    const tokens = new Map([...namesIn(source)].map((name) => [name, tokenOf(name)] as const));
    const id = this.#nextId++;
    const mailbox = new Mailbox<CompileOutcome>();
    this.#waiting.set(id, mailbox);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ id, source, trigger, tokens, vocabSize } satisfies CompileTask);
    const outcome = await mailbox.take();
    if ('error' in outcome) throw errorFromData(outcome.error);
    return { kind: 'compiled', key, program: outcome.program, tree: outcome.tree };
  }

  #start(): Worker {
    const worker = spawnWorker(new URL('./grammar-worker.ts', import.meta.url), import.meta.url, {
      workerData: this.#model,
    });
    // It waits for work as long as the process does something else.
    worker.unref();
    worker.on('message', (outcome: CompileOutcome) => {
      this.#waiting.get(outcome.id)?.put(outcome);
      this.#waiting.delete(outcome.id);
    });
    const fail = (cause?: Error): void => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const mailbox of this.#waiting.values())
        mailbox.fail(crashed('The thread that compiles grammars ended.', cause));
      this.#waiting.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail());
    return worker;
  }

  #keep(kept: Kept, compiled: CompiledGrammar): void {
    const { code, offsets, finishable } = compiled.program;
    kept.compiled = compiled;
    kept.bytes = code.byteLength + offsets.byteLength + finishable.byteLength + 2 * compiled.key.length;
    let bytes = [...this.#kept.values()].reduce((sum, one) => sum + one.bytes, 0);
    for (const [oldest, one] of this.#kept) {
      if (this.#kept.size <= maxKept && bytes <= maxKeptBytes) break;
      bytes -= one.bytes;
      this.#kept.delete(oldest);
    }
  }
}
