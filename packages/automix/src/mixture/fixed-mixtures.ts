// The file types whose files fit the target: what an automatic mixture has to beat.
import { QuernError } from '@quern/errors';
import { fileTypes, type Plan, refuseUnwritable } from '@quern/kquant';
import { type Budget, sizeOf } from '../plan/target.ts';

export interface FixedMixture {
  readonly plan: Plan;
  /** As the budget counts it. */
  readonly bytes: number;
}

/** Only those this near below the target are measured: smaller ones are of another class. */
const nearest = 0.9;
const most = 6;

/** @returns largest first; the largest that fits is always among them, if one does */
export function fixedMixtures(planOf: (fileType: string) => Plan, budget: Budget, file: string): FixedMixture[] {
  const fitting = fileTypes
    .filter(({ copies }) => !copies)
    .flatMap(({ name }) => {
      const plan = writablePlan(planOf, name, file);
      const bytes = plan && sizeOf(plan, budget);
      return plan && bytes! <= budget.bytes ? [{ plan, bytes: bytes! }] : [];
    })
    .sort((a, b) => b.bytes - a.bytes);
  return fitting.filter(({ bytes }, i) => i === 0 || bytes >= nearest * budget.bytes).slice(0, most);
}

/** Undefined for file types that this model cannot have, or not without an importance matrix. */
function writablePlan(planOf: (fileType: string) => Plan, fileType: string, file: string): Plan | undefined {
  try {
    const plan = planOf(fileType);
    refuseUnwritable(plan, file);
    return plan;
  } catch (error) {
    if (error instanceof QuernError) return undefined;
    throw error;
  }
}
