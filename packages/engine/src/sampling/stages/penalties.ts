// Penalties for tokens that are there already: repetition (Keskar et al. 2019, arXiv:1909.05858; positive logits divided,
// negative multiplied), frequency and presence (as in OpenAI's API). Without `penaltyLastN` repetition looks at prompt and
// reply, the others at the reply alone, as in vLLM; with it all look at the last so many tokens, as in llama.cpp.
import type { Candidates } from '../candidates.ts';
import type { StageKind } from './stage.ts';
import { TokenWindow } from './token-window.ts';

export const penalties: StageKind = {
  letter: 'e',
  keepsBest: false,
  stage({ repetitionPenalty, frequencyPenalty, presencePenalty, penaltyLastN }) {
    if (penaltyLastN === 0 || (repetitionPenalty === 1 && frequencyPenalty === 0 && presencePenalty === 0))
      return undefined;
    const repeat = Math.fround(repetitionPenalty);
    const [often, once] = [Math.fround(frequencyPenalty), Math.fround(presencePenalty)];
    const last = penaltyLastN ?? -1;
    const seen = new TokenWindow(last < 0 ? Number.POSITIVE_INFINITY : last);
    const counted = penaltyLastN === undefined ? new TokenWindow(Number.POSITIVE_INFINITY) : seen;
    return {
      accept(token, ofPrompt) {
        seen.push(token);
        if (counted !== seen && !ofPrompt) counted.push(token);
      },
      apply(candidates: Candidates) {
        const { logits } = candidates;
        candidates.visit(seen.counts, (place, token) => {
          const count = counted.count(token);
          logits[place] = logits[place] <= 0 ? logits[place] * repeat : logits[place] / repeat;
          if (count > 0) logits[place] -= Math.fround(Math.fround(count * often) + once);
        });
        candidates.sorted = false;
      },
    };
  },
};
