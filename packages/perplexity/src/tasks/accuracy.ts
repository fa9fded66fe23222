// A share of right answers and how sure it is: Wilson's score interval at 95 % (Wilson 1927), which stays within 0 … 1 and
// is right for small counts too; and the standard error that lm-eval prints, sqrt(p(1-p)/(n-1)).
export interface Accuracy {
  readonly right: number;
  readonly tasks: number;
  readonly value: number;
  readonly standardError: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

/** 97.5 % quantile of the normal distribution. */
const z = 1.959963984540054;

export function accuracyOf(right: number, tasks: number): Accuracy {
  const value = right / tasks;
  const spread = (z * z) / tasks;
  const half = z * Math.sqrt((value * (1 - value)) / tasks + spread / (4 * tasks));
  return {
    right,
    tasks,
    value,
    standardError: tasks > 1 ? Math.sqrt((value * (1 - value)) / (tasks - 1)) : 0,
    low: Math.max(0, (value + spread / 2 - half) / (1 + spread)),
    high: Math.min(1, (value + spread / 2 + half) / (1 + spread)),
  };
}
