// vitest's order of test files. What takes minutes begins first: begun last, it would leave the other processors idle at the end.
// vitest itself goes by size where it has no times of an earlier run, and the longest files are short: a software GPU compiles
// shaders, commands compute.
import { BaseSequencer } from 'vitest/node';

/** The longest, in order of their time. */
const longest = [
  'test/conformance/webgpu.test.ts',
  'test/conformance/webgpu-model.test.ts',
  'test/pack/install.test.ts',
  'test/e2e/eval-perplexity.test.ts',
  'test/browser/',
  'test/golden/quantize-native.test.ts',
  'test/conformance/webgpu',
  'packages/automix/src/choose-mixture.test.ts',
  'packages/awq/src/run/quantize-model.test.ts',
  'test/e2e/',
  'test/',
];

export default class LongestFirst extends BaseSequencer {
  async sort(specifications) {
    const ranks = new Map(specifications.map((one) => [one, rankOf(one.moduleId)]));
    // A stable sort: within a rank the order is vitest's.
    return (await super.sort(specifications)).sort((a, b) => ranks.get(a) - ranks.get(b));
  }
}

function rankOf(file) {
  const rank = longest.findIndex((part) => file.includes(`/${part}`));
  return rank < 0 ? longest.length : rank;
}
