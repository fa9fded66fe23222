// The ops. T = tokens of the batch, S = sequences of the batch. Every op writes one output.
//
// embed      (table [vocab, C] any dtype, ids [T] I32)                          -> [T, C]
// rmsNorm    (x [N, C], weight? [C])               {eps, groups?}               -> [N, C]   y = x / sqrt(mean(x²)+eps) · w
//            with `groups` the mean is that of each of so many equal parts of a row (may alias x)
// layerNorm  (x [N, C], weight? [C], bias? [C])    {eps}                        -> [N, C]   y = (x − mean) / sqrt(var+eps) · w + b (may alias x)
// matmul     (x [T, C], w [R, C] any dtype, bias? [R])  {}                      -> [T, R]   y = x · wᵀ + bias
// rope       (x [T, heads·headDim], cos [T, rot/2], sin [T, rot/2])
//            {heads, headDim, rotaryDim, style}                                 -> same (may alias x)
//            style 'norm' rotates pairs (2i, 2i+1); 'neox' rotates (i, i + rot/2). Dimensions ≥ rotaryDim are copied.
// kvWrite    (kv [T, kvDim], blockTable [S, maxBlocks] I32, seq [T] I32, pos [T] I32)  {blockTokens}
//            -> cache [blocks·blockTokens, kvDim] F32, F16, Q8_0 or Q4_0; token t goes to cell blockTable[seq[t]][pos[t] / blockTokens]·blockTokens + pos[t] % blockTokens
// attention  (q [T, heads·headDim], kCache [cells, kvHeads·headDim], vCache [cells, kvHeads·valueDim], blockTable, seq, pos,
//             sinks? [heads]); the caches may differ in type
//            {heads, kvHeads, headDim, valueDim?, scale, blockTokens, window?, chunk?, softCap?, causal?}
//                                                                               -> [T, heads·valueDim]
//            token t attends to positions max(0, pos[t]-window+1) … pos[t] of its own sequence; with `chunk` not before the
//            last multiple of it; with causal: false as far forward, and to the last position of its sequence in the batch.
//            Scores are scale·q·k, with softCap then cap·tanh(s/cap). Sinks are scores of their own, without a value.
//            vCache may be kCache itself (latent attention): each head's values are then its first valueDim numbers.
// act        (x)                                   {act}                        -> act(x) (may alias x)
//            act: silu, gelu (tanh form), gelu_erf (exact), relu, relu2 (its square), sigmoid, softplus
// xielu      (x)                                   {alphaP, alphaN, beta, eps} -> xIELU of Apertus, the alphas as they multiply (may alias x)
// gatedAct   (gate [T, F], up [T, F])              {act, limit?, alpha?, offset?} -> act(gate) · (up + offset) (may alias either)
//            limit: gate ≤ limit and |up| ≤ limit first; alpha: silu is g·sigmoid(alpha·g). gpt-oss: silu, 7, 1.702, 1
// gate       (x [N, C], gate [N, G])               {act}                        -> x · act(gate), a gate for C/G neighbours (may alias x)
// multiply   (x [N, C], by [N or 1, C or 1])       {}                           -> x · by (may alias x)
// softCap    (x)                                   {cap}                        -> cap · tanh(x / cap) (may alias x)
// hadamard   (x [N, C])                            {size}                       -> each `size` neighbours times the orthonormal Walsh–Hadamard matrix (may alias x)
// add        (a, b) same shape                     {}                           -> a + b (may alias a)
// scale      (x)                                   {factor}                     -> x · factor (may alias x)
// columns    (x [N, C])                            {first}                      -> [N, W]   columns first … first+W−1
// putColumns (x [M, W])                            {first}                      -> y [N, C]: these columns of y are written, each row of x for N/M
//            rows of y (a key's rotary part for all heads); the other columns keep their content
// meanRows   (x [T, C], seq [T] I32)               {}                           -> [S, C]   mean of each sequence's rows
// gatherRows (x [T, C], rows [N] I32)              {}                           -> [N, C]
// softmax    (x [N, C])                            {}                           -> [N, C]
// logProb    (logits [N, V], targets [N] I32)      {}                           -> [N]      log softmax(logits)[target], f64 inside
// logSumExp  (x [N, C])                            {}                           -> [N]      log Σ e^x, f64 inside
// topK       (x [N, C])                            {count}                      -> [N, 2·count + 1] I32  of the largest, first to last: columns, then the
//            bits of their values; then how many of the row are not finite. Of equals the lower column, NaN behind all
// sumSquares (x [T, C])                            {}                           -> [C]      added to what the output holds
//
// Mixture of experts, E experts of which each token uses `used`:
// route          (logits [T, E], bias? [E])            {used, score?, groups?, groupsUsed?, groupBy?} -> [T, used] I32, the largest first
//                score: logits (default), softmax, sigmoid, sqrt_softplus; + bias. Of `groups` parts only the groupsUsed with the largest
//                sum of 'two' experts (default; DeepSeek V3) or of 'one' (V2)
// routeWeights   (logits [T, E], ids [T, used] I32, expertScale? [E])
//                {over: 'all'|'chosen', score?, scale?} -> [T, used]  score(logits)[ids] · scale · expertScale[ids]; score softmax by default;
//                over 'chosen': divided by the sum of the chosen
// pickExperts    (table [vocab, used] I32, tokens [T] I32)  {experts}           -> [T, used] I32  table[tokens]
// addExpertBias  (x [T·used, R], bias [E, R], ids [T, used] I32)  {}            -> x + bias[ids] (may alias x)
// matmulExperts  (x [T or T·used, C], w [E, R, C] any dtype, ids [T, used] I32) -> [T·used, R]  x · w[ids]ᵀ
// combineExperts (weights [T, used], x [T·used, C])    {}                       -> [T, C]     Σ weights · x
// sumSquaresExperts (x [T or T·used, C], ids [T, used] I32)                     -> sums [E, C] += column sums of squares, by expert
//
// States of sequences (sequences.ts): token t is of sequence seq[t] [T] I32, whose state is row slots[seq[t]], slots [S] I32. Tokens of a
// sequence stand in order; the state is updated in place, goes on from batch to batch, and is zeros where its owner begins a sequence.
// causalConv     (x [T, C], weight [C, K], state [slots, K−1, C], seq, slots, bias? [C])  {act?: 'none'|'silu'} -> [T, C]
// gatedDeltaRule (qkv [T, 2·kHeads·kDim + heads·vDim], decay [T, heads] or [T, heads·kDim], beta [T, heads],
//                state [slots, heads, kDim, vDim], seq, slots)  {kHeads, neighbours?, scale, normEps} -> [T, heads·vDim]
//                decay is ln of the factor (≤ 0), beta after its sigmoid; q and k are L2-normed inside; head h has key head h mod kHeads (GGUF order);
//                with `neighbours`, ⌊h / neighbours⌋ mod kHeads
// mamba2Scan     (xbc [T, heads·headDim + 2·groups·stateDim], dt [T, heads], a [heads], d [heads],
//                state [slots, heads, headDim, stateDim], seq, slots)  {groups, dtMin?, dtMax?} -> [T, heads·headDim]
//                dt with its bias but before softplus; a is −e^A_log, as GGUF has it
import type { Act } from './acts.ts';
import type { Score } from './router-scores.ts';

export interface OpParams {
  embed: Record<string, never>;
  rmsNorm: { eps: number; groups?: number };
  layerNorm: { eps: number };
  matmul: Record<string, never>;
  rope: { heads: number; headDim: number; rotaryDim: number; style: 'norm' | 'neox' };
  kvWrite: { blockTokens: number };
  attention: {
    heads: number;
    kvHeads: number;
    headDim: number;
    /** Default headDim. */
    valueDim?: number;
    scale: number;
    blockTokens: number;
    window?: number;
    chunk?: number;
    softCap?: number;
    /** Default true. */
    causal?: boolean;
  };
  act: { act: Act };
  xielu: { alphaP: number; alphaN: number; beta: number; eps: number };
  gatedAct: { act: Act; limit?: number; alpha?: number; offset?: number };
  gate: { act: Act };
  multiply: Record<string, never>;
  softCap: { cap: number };
  hadamard: { size: number };
  add: Record<string, never>;
  scale: { factor: number };
  gatherRows: Record<string, never>;
  softmax: Record<string, never>;
  logProb: Record<string, never>;
  logSumExp: Record<string, never>;
  topK: { count: number };
  sumSquares: Record<string, never>;
  columns: { first: number };
  putColumns: { first: number };
  meanRows: Record<string, never>;
  route: {
    used: number;
    score?: Score | 'logits';
    groups?: number;
    groupsUsed?: number;
    groupBy?: 'two' | 'one';
  };
  routeWeights: { over: 'all' | 'chosen'; score?: Score; scale?: number };
  pickExperts: { experts: number };
  addExpertBias: Record<string, never>;
  matmulExperts: Record<string, never>;
  combineExperts: Record<string, never>;
  sumSquaresExperts: Record<string, never>;
  causalConv: { act?: 'none' | 'silu' };
  gatedDeltaRule: { kHeads: number; neighbours?: number; scale: number; normEps: number };
  mamba2Scan: { groups: number; dtMin?: number; dtMax?: number };
}
export type OpName = keyof OpParams;
