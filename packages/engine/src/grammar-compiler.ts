// Grammars are compiled in a thread of their own: a schema that takes its second holds up neither the caller nor the tokens of
// others. That thread lays the model's vocabulary out as a tree, too. What it makes lies in shared memory, so it costs nobody a copy.
import type { Worker } from 'node:worker_threads';
import { QuernError } from '@quern/errors';
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
  readonly source: AskedGrammar;
  readonly trigger?: GrammarTrigger;
  readonly tokens: ReadonlyMap<string, number | undefined>;
  readonly vocabSize: number;
}

export type CompileOutcome =
  | { readonly program: CompiledGrammar['program']; readonly tree?: VocabularyTree }
  | { readonly error: ErrorData };

const maxKept = 32;
const maxKeptBytes = 64 * 2 ** 20;

interface Kept {
  readonly made: Promise<CompiledGrammar>;
  /** Whoever waits for it; undefined: somebody who never leaves. */
  readonly askers: (AbortSignal | undefined)[];
  /** Undefined while it is being made. */
  compiled?: CompiledGrammar;
  bytes: number;
}

interface Waiting {
  readonly key: string;
  readonly task: CompileTask;
  readonly askers: Kept['askers'];
  readonly mailbox: Mailbox<CompileOutcome>;
}

export class GrammarCompiler {
  #worker?: Worker;
  /** What waits for the thread: of one that nobody waits for any more, nothing is made. */
  readonly #line: Waiting[] = [];
  #atWork?: Waiting;
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept>();
  readonly #model?: GrammarModel;

  /** @param model without it, who uses the grammars lays its vocabulary out itself */
  constructor(model?: GrammarModel) {
    this.#model = model;
  }

  /**
   * @param signal who asks may leave
   * @throws QuernError `grammar-…`, `schema-…`, `engine-crashed`, `cancelled` when all have left before it was begun
   */
  compile(
    source: AskedGrammar,
    vocabulary: GrammarVocabulary,
    trigger: GrammarTrigger | undefined,
    signal?: AbortSignal,
  ): Promise<CompiledGrammar> {
    const key = keyOf(source, trigger);
    const known = this.#kept.get(key);
    const askers = known?.askers ?? [];
    if (!known?.compiled) askers.push(signal);
    const kept = known ?? { made: this.#make(key, source, vocabulary, trigger, askers), askers, bytes: 0 };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (!known)
      kept.made.then(
        (compiled) => this.#keep(kept, compiled),
        () => this.#kept.get(key) === kept && this.#kept.delete(key),
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
    const left = [...(this.#atWork ? [this.#atWork] : []), ...this.#line.splice(0)];
    this.#atWork = undefined;
    for (const { mailbox } of left) mailbox.fail(ended());
  }

  async #make(
    key: string,
    source: AskedGrammar,
    { tokenOf, vocabSize }: GrammarVocabulary,
    trigger: GrammarTrigger | undefined,
    askers: Kept['askers'],
  ): Promise<CompiledGrammar> {
    const tokens = new Map([...namesIn(source)].map((name) => [name, tokenOf(name)] as const));
    const mailbox = new Mailbox<CompileOutcome>();
    this.#line.push({ key, task: { source, trigger, tokens, vocabSize }, askers, mailbox });
    this.#next();
    const outcome = await mailbox.take();
    askers.length = 0;
    if ('error' in outcome) throw errorFromData(outcome.error);
    return { kind: 'compiled', key, program: outcome.program, tree: outcome.tree };
  }

  #next(): void {
    if (this.#atWork) return;
    const next = this.#line.shift();
    if (!next) return;
    if (next.askers.every((signal) => signal?.aborted)) {
      this.#kept.delete(next.key);
      next.mailbox.fail(new QuernError('cancelled', 'The request was cancelled.'));
      this.#next();
      return;
    }
    this.#atWork = next;
    this.#worker ??= this.#start();
    this.#worker.postMessage(next.task);
  }

  #start(): Worker {
    const worker = spawnWorker(new URL('./grammar-worker.ts', import.meta.url), import.meta.url, {
      workerData: this.#model,
    });
    // It waits for work as long as the process does something else.
    worker.unref();
    const answer = (settle: (mailbox: Mailbox<CompileOutcome>) => void): void => {
      const done = this.#atWork;
      this.#atWork = undefined;
      if (done) settle(done.mailbox);
      this.#next();
    };
    worker.on('message', (outcome: CompileOutcome) => answer((mailbox) => mailbox.put(outcome)));
    const fail = (cause?: Error): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      answer((mailbox) => mailbox.fail(ended(cause)));
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

const ended = (cause?: Error): QuernError => crashed('The thread that compiles grammars ended.', cause);
