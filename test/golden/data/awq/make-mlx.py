# What mlx makes of a matrix with groups of one sign, of zeros and of one value. See README.md.
import mlx.core as mx
import numpy as np
from safetensors.numpy import save_file

mx.set_default_device(mx.cpu)
w = (np.random.default_rng(3).standard_normal((32, 128)) * 0.05).astype(np.float16)
w[0], w[1], w[3] = 0, abs(w[1]) + 0.5, 0.25
w[2, :64] = -abs(w[2, :64])
tensors = {"w": w}
for bits in (3, 4, 8):
    for name, part in zip(("weight", "scales", "biases"), mx.quantize(mx.array(w), group_size=64, bits=bits)):
        tensors[f"{bits}.{name}"] = np.array(part)
save_file(tensors, "mlx.safetensors")
