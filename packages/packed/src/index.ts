// What a packed weight is: AWQ, GPTQ, compressed-tensors, MLX, ModelOpt, block FP8, MXFP4; reading and writing.
export {};
