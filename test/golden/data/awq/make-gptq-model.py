# GPTQ of a whole model in its true order: every weight is fitted to the inputs that the quantized weights before it give.
# Plain torch in float64 for the algorithm (make-gptq.py's), float32 for the forward pass of transformers. See README.md.
import sys
import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM

group, top, damp = 32, 15, 0.01
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
sequences = torch.tensor([[(s * 97 + i * i * 13 + 5 * i + 3) % 400 for i in range(64)] for s in range(6)])


def half(x):
    return x.astype(np.float16).astype(np.float32)


def gptq(w, hessian):
    rows, cols = w.shape
    diagonal = np.diag(hessian).copy()
    inverse = np.linalg.inv(hessian + np.eye(cols) * damp * diagonal.mean())
    left, codes = w.astype(np.float64), np.zeros((rows, cols), np.uint8)
    rounded = np.zeros((rows, cols), np.float32)
    for j in range(cols):
        if j % group == 0:
            block = left[:, j : j + group].astype(np.float32)
            low, high = np.minimum(block.min(1), 0), np.maximum(block.max(1), 0)
            scale = half(half(high - low) / top)
            zero = np.clip(np.rint(half(-low / scale)), 0, top)
        codes[:, j] = np.clip(np.rint(left[:, j] / scale) + zero, 0, top)
        rounded[:, j] = (codes[:, j] - zero) * scale
        error = (left[:, j] - rounded[:, j]) / inverse[j, j]
        left[:, j:] -= np.outer(error, inverse[j, j:])
        inverse = inverse - np.outer(inverse[:, j], inverse[j]) / inverse[j, j]
        inverse[j, j] = 1
    return codes, rounded


def inputs_of(module):
    """The whole model runs for every stage: nothing is cached that could be stale."""
    seen = []
    hook = module.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()[0].double().numpy()))
    with torch.no_grad():
        for ids in sequences:
            model(ids[None])
    hook.remove()
    x = np.concatenate(seen)
    return x.T @ x / len(x)


tensors = {"sequences": sequences.numpy().astype(np.int32)}
for index, layer in enumerate(model.model.layers):
    for stage in (["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], ["self_attn.o_proj"],
                  ["mlp.gate_proj", "mlp.up_proj"], ["mlp.down_proj"]):
        modules = {name: layer.get_submodule(name) for name in stage}
        hessian = inputs_of(modules[stage[0]])
        for name, module in modules.items():
            codes, rounded = gptq(module.weight.detach().numpy(), hessian)
            module.weight.data = torch.from_numpy(rounded)
            tensors[f"{index}.{name}"] = codes
save_file({name: t for name, t in tensors.items() if name == "sequences" or name[0] in "03"}, "gptq-model.safetensors")
