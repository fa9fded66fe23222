// Which type to choose, for help and README: sizes and divergence of a real model. The figures are llama.cpp's own, of
// Llama 3 8B on WikiText-2 (tools/perplexity/README.md, revision f364eb6f, importance matrix of 10M tokens), whose files
// quern writes byte for byte.

interface GuideRow {
  readonly type: string;
  /** Size of the file. */
  readonly gib: string;
  /** Mean Kullback-Leibler divergence from F16, without and with an importance matrix. */
  readonly kld: string;
  readonly kldWithImatrix?: string;
  readonly advice: string;
}

export const typeGuide: readonly GuideRow[] = [
  { type: 'F16', gib: '14.97', kld: '', advice: 'the model itself' },
  { type: 'Q8_0', gib: '7.96', kld: '0.0014', advice: 'no loss that one would notice' },
  { type: 'Q6_K', gib: '6.14', kld: '0.0055', advice: '' },
  { type: 'Q5_K_M', gib: '5.33', kld: '0.0108', advice: 'where there is room' },
  { type: 'Q4_K_M', gib: '4.58', kld: '0.0313', kldWithImatrix: '0.0282', advice: 'the usual choice' },
  { type: 'IQ4_XS', gib: '4.14', kld: '', kldWithImatrix: '0.0363', advice: 'smaller, slower on CPUs' },
  { type: 'Q3_K_M', gib: '3.74', kld: '0.1019', kldWithImatrix: '0.0844', advice: 'where memory is short' },
  { type: 'IQ3_XXS', gib: '3.05', kld: '', kldWithImatrix: '0.1836', advice: '' },
  { type: 'IQ2_M', gib: '2.74', kld: '', kldWithImatrix: '0.3260', advice: 'better a smaller model' },
];

const cells = ({ type, gib, kld, kldWithImatrix = '', advice }: GuideRow): string =>
  `  ${type.padEnd(8)} ${gib.padStart(5)}  ${kld.padStart(6)}  ${kldWithImatrix.padStart(9)}  ${advice}`.trimEnd();

export const typeGuideText = [
  'Which type? File size and divergence (mean KLD; lower is better) of Llama 3 8B,',
  'as llama.cpp measured them on WikiText-2:',
  '  type       GiB     KLD  --imatrix',
  ...typeGuide.map(cells),
].join('\n');
