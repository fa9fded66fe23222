// The stages of a chain by llama.cpp's names, in its default order.
import { dry } from './dry.ts';
import { minP } from './min-p.ts';
import { penalties } from './penalties.ts';
import { temperature } from './temperature.ts';
import { topK } from './top-k.ts';
import { topNSigma } from './top-n-sigma.ts';
import { topP } from './top-p.ts';
import { typical } from './typical.ts';
import { xtc } from './xtc.ts';

export const stageKinds = {
  penalties,
  dry,
  top_n_sigma: topNSigma,
  top_k: topK,
  typ_p: typical,
  top_p: topP,
  min_p: minP,
  xtc,
  temperature,
} as const;

export type StageName = keyof typeof stageKinds;
export const stageNames = Object.keys(stageKinds) as StageName[];
