// THE table of ops. A new op is a folder beside this file, one line here and one in OpParams (index.ts).
import { act } from './act/op.ts';
import { add } from './add/op.ts';
import { addExpertBias } from './add-expert-bias/op.ts';
import { attention } from './attention/op.ts';
import { causalConv } from './causal-conv/op.ts';
import { columns } from './columns/op.ts';
import { combineExperts } from './combine-experts/op.ts';
import { embed } from './embed/op.ts';
import { gate } from './gate/op.ts';
import { gatedAct } from './gated-act/op.ts';
import { gatedDeltaRule } from './gated-delta-rule/op.ts';
import { gatherRows } from './gather-rows/op.ts';
import { hadamard } from './hadamard/op.ts';
import type { OpName } from './index.ts';
import { kvWrite } from './kv-write/op.ts';
import { layerNorm } from './layer-norm/op.ts';
import { logProb } from './log-prob/op.ts';
import { logSumExp } from './log-sum-exp/op.ts';
import { mamba2Scan } from './mamba2-scan/op.ts';
import { matmul } from './matmul/op.ts';
import { matmulExperts } from './matmul-experts/op.ts';
import { meanRows } from './mean-rows/op.ts';
import { multiply } from './multiply/op.ts';
import type { Op } from './op.ts';
import { pickExperts } from './pick-experts/op.ts';
import { putColumns } from './put-columns/op.ts';
import { rmsNorm } from './rms-norm/op.ts';
import { rope } from './rope/op.ts';
import { route } from './route/op.ts';
import { routeWeights } from './route-weights/op.ts';
import { scale } from './scale/op.ts';
import { softCap } from './soft-cap/op.ts';
import { softmax } from './softmax/op.ts';
import { sumSquares } from './sum-squares/op.ts';
import { sumSquaresExperts } from './sum-squares-experts/op.ts';
import { topK } from './top-k/op.ts';
import { xielu } from './xielu/op.ts';

export const ops: { readonly [Name in OpName]: Op<Name> } = {
  embed,
  rmsNorm,
  layerNorm,
  matmul,
  rope,
  kvWrite,
  attention,
  act,
  xielu,
  gatedAct,
  gate,
  multiply,
  softCap,
  hadamard,
  add,
  scale,
  columns,
  putColumns,
  meanRows,
  gatherRows,
  softmax,
  logProb,
  logSumExp,
  topK,
  sumSquares,
  route,
  routeWeights,
  pickExperts,
  matmulExperts,
  addExpertBias,
  combineExperts,
  sumSquaresExperts,
  causalConv,
  gatedDeltaRule,
  mamba2Scan,
};
