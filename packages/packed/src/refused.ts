// Ways to quantize that have a name and no room here. Each says what to do instead.
import { QuernError } from '@quern/errors';

const original = 'Use the unquantized checkpoint.';

const remedies: Readonly<Record<string, string>> = {
  bitsandbytes: `${original} bitsandbytes keeps its codes in an order of its own; \`model.dequantize()\` in transformers undoes it.`,
  hqq: `${original} \`model.dequantize()\` in transformers undoes HQQ.`,
  quanto: original,
  torchao: `${original} torchao checkpoints are pickled tensor subclasses.`,
  exl2: original,
  exl3: original,
  aqlm: original,
  vptq: original,
  spqr: original,
  higgs: original,
  eetq: original,
  quark: original,
  fp_quant: original,
  sinq: original,
  fouroversix: original,
  metal: original,
  gemma: original,
  mxfp8: original,
  nvfp4: `${original} NVFP4 is read as ModelOpt and compressed-tensors write it.`,
  bitnet: `${original} The publishers of BitNet models ship a bf16 checkpoint too.`,
  gguf: 'Open the GGUF file itself.',
  'auto-round': 'Export it from AutoRound with format "auto_gptq" or "auto_awq".',
  marlin: 'Use the GPTQ checkpoint that it was made from.',
};

/** @throws QuernError `packed-method-refused` for methods known by name, else `packed-method-unknown` */
export function refuseMethod(method: string): never {
  if (Object.hasOwn(remedies, method)) {
    throw new QuernError('packed-method-refused', `Weights quantized by ${method} cannot be read.`, {
      file: 'config.json',
      remedy: remedies[method],
    });
  }
  throw new QuernError('packed-method-unknown', `quant_method ${JSON.stringify(method)} is not known.`, {
    file: 'config.json',
    remedy: 'Read are awq, gptq, compressed-tensors, MLX, modelopt, fp8, fbgemm_fp8 and mxfp4.',
  });
}

/** @throws QuernError `packed-method-refused` for a variant of a method that is read */
export function refuseVariant(what: string, remedy: string): never {
  throw new QuernError('packed-method-refused', `${what} cannot be read.`, { file: 'config.json', remedy });
}
