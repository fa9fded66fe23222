// Activation-aware quantization, GPTQ, and round-to-nearest, layer by layer.
export {};
