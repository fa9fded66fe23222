// What the page and the worker that holds a model say to each other. A worker loads one model; for another one the page
// starts another worker, so that nothing of the first stays in memory.
import type { ErrorData, FinishReason, SamplingOptions } from '@quern/engine';
import type { ChatMessage } from '@quern/tokenizer';

/** The ways to compute, best first. */
export const deviceSteps = ['webgpu', 'wasm-threads', 'wasm', 'javascript'] as const;
export type DeviceStep = (typeof deviceSteps)[number];

export interface LoadRequest {
  /** An absolute URL, or the files of one model (several when it is split). */
  readonly place: { readonly url: string } | { readonly files: readonly File[] };
  /** `auto` tries the steps one by one; a step is that or nothing. */
  readonly device: DeviceStep | 'auto';
  /** Threads of `wasm-threads`. Default: as many as the machine has. */
  readonly threads?: number;
  /** Default: the model's context, 4096 at most. */
  readonly contextTokens?: number;
}

export interface ReplyRequest {
  /** A conversation for the model's template, or a text to go on from. */
  readonly prompt: { readonly messages: readonly ChatMessage[] } | { readonly text: string };
  readonly maxTokens?: number;
  readonly sampling: SamplingOptions;
}

/** A step that was tried, and why it was left when it was. */
export interface TriedStep {
  readonly step: DeviceStep;
  /** Absent: this is the one that computes. */
  readonly refused?: ErrorData;
}

export interface LoadedModel {
  /** As the file says, else the file's name. */
  readonly name: string;
  readonly architecture: string;
  readonly parameters: number;
  /** Types of the stored weights, the one with most bytes first. */
  readonly types: readonly string[];
  readonly fileBytes: number;
  /** On the device: weights, cache and buffers. */
  readonly memoryBytes: number;
  readonly contextTokens: number;
  readonly hasChatTemplate: boolean;
  readonly step: DeviceStep;
  /** `SwiftShader`, `2 threads`… */
  readonly deviceDetail: string;
  /** Stored types that the device computes slowly, without a kernel. */
  readonly slowTypes: readonly string[];
  readonly loadMs: number;
}

export interface ReplyFigures {
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  readonly promptMs: number;
  /** Tokens sampled, the one that ended the reply included; the first of them comes with the prompt. */
  readonly generatedTokens: number;
  readonly generationMs: number;
}

export type ToWorker =
  | ({ readonly type: 'load' } & LoadRequest)
  | ({ readonly type: 'reply' } & ReplyRequest)
  | { readonly type: 'stop' };

export type FromWorker =
  | ({ readonly type: 'tried' } & TriedStep)
  | { readonly type: 'progress'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly type: 'loaded'; readonly model: LoadedModel }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'replied'; readonly figures: ReplyFigures }
  /** The request was refused; the worker goes on. */
  | { readonly type: 'refused'; readonly error: ErrorData }
  /** Loading or the device failed: nothing more comes from this worker. */
  | { readonly type: 'broken'; readonly error: ErrorData };
