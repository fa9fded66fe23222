// What tensors cost alone does not quite add up to what they cost together. So mixtures next to the predicted best, one
// exchange away, are measured as a whole, those first that are predicted to be best; a better one becomes the new middle.
import { type Choice, type Exchange, exchanges } from '../allocation/allocate.ts';

export interface Chosen {
  /** Index of the choice of each tensor. */
  readonly chosen: readonly number[];
  readonly kld: number;
}

/**
 * @param trials how many mixtures may be measured
 * @param measure true KLD of a mixture
 */
export async function improve(
  tensors: readonly (readonly Choice[])[],
  start: Chosen,
  budget: number,
  trials: number,
  measure: (chosen: readonly number[]) => Promise<number>,
): Promise<Chosen> {
  let best = start;
  const seen = new Set([start.chosen.join()]);
  for (let trial = 0; trial < trials; trial++) {
    const next = nextBest(tensors, best.chosen, budget, seen);
    if (!next) break;
    seen.add(next.join());
    const kld = await measure(next);
    if (kld < best.kld) best = { chosen: next, kld };
  }
  return best;
}

/** The mixture one exchange away that is predicted to lose least, of those not seen. */
function nextBest(
  tensors: readonly (readonly Choice[])[],
  chosen: readonly number[],
  budget: number,
  seen: ReadonlySet<string>,
): number[] | undefined {
  const used = chosen.reduce((sum, index, t) => sum + tensors[t]![index]!.bytes, 0);
  let best: { loss: number; mixture: number[] } | undefined;
  for (const exchange of exchanges(tensors, chosen, budget - used)) {
    if (best && exchange.loss >= best.loss) continue;
    const mixture = applied(chosen, exchange);
    if (!seen.has(mixture.join())) best = { loss: exchange.loss, mixture };
  }
  return best?.mixture;
}

function applied(chosen: readonly number[], { moves }: Exchange): number[] {
  const mixture = [...chosen];
  for (const { tensor, to } of moves) mixture[tensor] = to;
  return mixture;
}
