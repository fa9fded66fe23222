// The order of tensors in a converted file: the converter walks the files by name and each file's tensors by name.
import type { TensorView } from '@quern/checkpoint';
import type { MatchedTensor } from './preflight.ts';

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const compareViews = (a: TensorView, b: TensorView) => compare(a.file, b.file) || compare(a.name, b.name);

/** Name in the checkpoint, without numbers. */
const patternOf = ({ rule }: MatchedTensor): string => {
  const name = rule.stored!.name;
  return typeof name === 'string' ? name : name[0]!.name;
};

/** One tensor of GGUF, one per expert in the checkpoint. */
const isStack = (match: MatchedTensor) => patternOf(match).includes('{j}');

/**
 * The stacks of a block stand where its last expert does, ordered by the names of their parts: the converter writes them
 * when it has seen the last expert of the block.
 */
export function inConverterOrder(matched: readonly MatchedTensor[]): MatchedTensor[] {
  const lastOf = (views: readonly TensorView[]) => views.reduce((a, b) => (compareViews(a, b) < 0 ? b : a));
  const lastExperts = new Map<number | undefined, TensorView>();
  for (const { block, views } of matched.filter(isStack))
    lastExperts.set(block, lastOf([...views, ...(lastExperts.has(block) ? [lastExperts.get(block)!] : [])]));
  const place = (match: MatchedTensor) => (isStack(match) ? lastExperts.get(match.block)! : match.views[0]!);
  return matched
    .map((match) => ({ match, at: place(match) }))
    .sort((a, b) => compareViews(a.at, b.at) || compare(patternOf(a.match), patternOf(b.match)))
    .map(({ match }) => match);
}
