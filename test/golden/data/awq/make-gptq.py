# GPTQ written as in the paper (arXiv 2210.17323, algorithm 1), in float64, one column at a time. See README.md.
import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(7)
rows, cols, tokens, group, top, damp = 24, 160, 200, 32, 15, 0.01
mix = rng.standard_normal((cols, cols)) * rng.exponential(1, cols)
x = (rng.standard_normal((tokens, cols)) @ mix / cols**0.5).astype(np.float32)
w = (rng.standard_normal((rows, cols)) * 0.05).astype(np.float32)
hessian = x.astype(np.float64).T @ x / tokens


def quantize(act_order):
    order = np.argsort(-np.diag(hessian), kind="stable") if act_order else np.arange(cols)
    h = hessian[np.ix_(order, order)]
    h = h + np.eye(cols) * damp * np.diag(h).mean()
    inverse = np.linalg.inv(h)
    left = w[:, order].astype(np.float64)
    codes = np.zeros((rows, cols), np.uint8)
    scales, zeros = np.zeros((rows, cols // group), np.float32), np.zeros((rows, cols // group), np.uint8)
    for j in range(cols):
        g = j // group
        if j % group == 0:
            block = left[:, j : j + group].astype(np.float32)
            low, high = np.minimum(block.min(1), 0), np.maximum(block.max(1), 0)
            scales[:, g] = (((high - low).astype(np.float16) / top).astype(np.float16)).astype(np.float32)
            zeros[:, g] = np.clip(np.rint((-low / scales[:, g]).astype(np.float16)), 0, top)
        code = np.clip(np.rint(left[:, j] / scales[:, g]) + zeros[:, g], 0, top)
        codes[:, order[j]] = code
        error = (left[:, j] - (code - zeros[:, g]) * scales[:, g]) / inverse[j, j]
        left[:, j:] -= np.outer(error, inverse[j, j:])
        # Column j is done: it leaves the inverse by one step of Gaussian elimination.
        inverse = inverse - np.outer(inverse[:, j], inverse[j]) / inverse[j, j]
        inverse[j, j] = 1
    return codes, scales, zeros


tensors = {"x": x, "w": w}
for name, act_order in (("plain", False), ("act_order", True)):
    codes, scales, zeros = quantize(act_order)
    tensors |= {f"{name}.codes": codes, f"{name}.scales": scales, f"{name}.zeros": zeros}
save_file(tensors, "gptq.safetensors")
