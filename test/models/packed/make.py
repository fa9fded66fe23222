"""Checkpoints of arch/llama3 with packed weights, and the weights they stand for (README.md). Run here: python make.py

Packing is that of the libraries where they have it (compressed-tensors, MLX); the layouts of GPTQ and block FP8 are
written out. expected.json: SHA-256 of each unpacked weight as float32, computed here from codes and scales in float64.
"""
import hashlib
import json
import os
import shutil

import mlx.core as mx
import numpy as np
import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from safetensors.torch import load_file, save_file

source = "../arch/llama3"
weights = load_file(f"{source}/model.safetensors")
config = json.load(open(f"{source}/config.json"))
linear = [name for name in weights if name.endswith("_proj.weight")]
expected = {}


def digest(weight):
    # Adding zero: there is one zero only.
    data = np.ascontiguousarray(np.asarray(weight, dtype=np.float64).astype("<f4") + np.float32(0))
    return hashlib.sha256(data.tobytes()).hexdigest()


def write(folder, pack, quantization, key="quantization_config", names=linear):
    os.makedirs(folder, exist_ok=True)
    tensors, values = {}, {}
    for name, weight in weights.items():
        if name not in names:
            tensors[name] = weight
            continue
        parts, value = pack(weight.double())
        tensors.update({name.removesuffix("weight") + part: tensor.contiguous() for part, tensor in parts.items()})
        values[name] = digest(value)
    save_file(tensors, f"{folder}/model.safetensors", {"format": "pt"})
    json.dump({**config, key: quantization}, open(f"{folder}/config.json", "w"), indent=1)
    expected[folder] = values


def grouped(weight, size):
    return weight.reshape(weight.shape[0], -1, size)


def asymmetric(weight, size, bits=4):
    """codes, zeros [out, groups], scales (F16 values)"""
    groups = grouped(weight, size)
    low, high = groups.amin(-1).clamp(max=0), groups.amax(-1).clamp(min=0)
    scales = ((high - low) / (2**bits - 1)).half().double()
    zeros = (-low / scales).round().clamp(1, 2**bits - 1)
    codes = (groups / scales[..., None] + zeros[..., None]).round().clamp(0, 2**bits - 1)
    value = (codes - zeros[..., None]) * scales[..., None]
    return codes.reshape(weight.shape), zeros, scales, value.reshape(weight.shape)


def symmetric(weight, size, bits=4):
    groups = grouped(weight, size)
    scales = (groups.abs().amax(-1) / (2 ** (bits - 1) - 0.5)).half().double()
    signed = (groups / scales[..., None]).round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return signed.reshape(weight.shape), scales, (signed * scales[..., None]).reshape(weight.shape)


def stream(codes, bits, axis):
    """codes of `bits` bits as int32 words along an axis, lowest bits first"""
    codes = np.moveaxis(codes.long().numpy(), axis, -1).astype(np.uint64)
    per = 32 // bits
    words = codes.reshape(*codes.shape[:-1], -1, per) << (np.arange(per, dtype=np.uint64) * np.uint64(bits))
    packed = words.sum(-1).astype(np.uint32).view(np.int32)
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(packed, -1, axis)))


def gptq(weight, order=None):
    """Layout of AutoGPTQ's first version: zeros are stored one less; a bias of zeros beside every weight."""
    columns = torch.arange(weight.shape[1]) if order is None else order
    signed, scales, value = symmetric(weight[:, columns], 32)
    back = torch.argsort(columns)
    parts = {
        "qweight": stream((signed + 8)[:, back].T.contiguous(), 4, 0),
        "qzeros": stream(torch.full((scales.shape[1], weight.shape[0]), 7), 4, 1),
        "scales": scales.T.half(),
        "g_idx": (back // 32).int(),
        "bias": torch.zeros(weight.shape[0], dtype=torch.float16),
    }
    return parts, value[:, back]


write("gptq", gptq, {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": False, "sym": True})
write(
    "gptq-act-order",
    lambda weight: gptq(weight, torch.argsort(-weight.abs().sum(0))),
    {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": True, "sym": True},
)


def compressed(weight):
    codes, zeros, scales, value = asymmetric(weight, 32)
    parts = {
        "weight_packed": pack_to_int32((codes - 8).to(torch.int8), 4),
        "weight_scale": scales.half(),
        "weight_zero_point": pack_to_int32((zeros - 8).to(torch.int8), 4, packed_dim=0),
        "weight_shape": torch.tensor(weight.shape),
    }
    return parts, value


def scheme(**args):
    weights_args = {"num_bits": 4, "type": "int", "symmetric": False, "strategy": "group", "group_size": 32, **args}
    return {"group_0": {"targets": ["Linear"], "weights": weights_args, "input_activations": None}}


ct = {"quant_method": "compressed-tensors", "quantization_status": "compressed", "ignore": ["lm_head"]}
write("compressed-tensors", compressed, {**ct, "format": "pack-quantized", "config_groups": scheme()})


def mlx(weight):
    codes, scales, biases = mx.quantize(mx.array(weight.float().numpy()).astype(mx.float16), group_size=32, bits=4)
    packed = torch.from_numpy(np.array(codes).view(np.int32))
    words = np.array(codes)[..., None] >> (np.arange(8, dtype=np.uint32) * 4) & 15
    groups = words.reshape(weight.shape[0], -1, 32).astype(np.float64)
    scales, biases = (np.array(each).astype(np.float64) for each in (scales, biases))
    value = groups * scales[..., None] + biases[..., None]
    half = lambda array: torch.from_numpy(array).half()
    parts = {"weight": packed.view(torch.uint32), "scales": half(scales), "biases": half(biases)}
    return parts, value.reshape(weight.shape)


# MLX quantizes the embedding too.
write("mlx", mlx, {"group_size": 32, "bits": 4}, "quantization", [*linear, "model.embed_tokens.weight"])


def fp8(weight):
    rows, cols = weight.shape
    tiles = weight.reshape(rows // 32, 32, cols // 32, 32)
    scales = (tiles.abs().amax((1, 3)) / 448).float()
    wide = scales.double()[:, None, :, None]
    codes = (tiles / wide).float().to(torch.float8_e4m3fn)
    value = codes.double() * wide
    return {"weight": codes.reshape(rows, cols), "weight_scale_inv": scales}, value.reshape(rows, cols)


write("fp8", fp8, {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [32, 32]})


def fp4(weight):
    """Codes (sign, exponent, mantissa) of E2M1: the index of the nearest of 0, ½, 1, 1½, 2, 3, 4, 6."""
    steps = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6], dtype=torch.float64)
    index = (weight.abs()[..., None] - steps).abs().argmin(-1)
    return index + 8 * (weight < 0), steps[index] * torch.where(weight < 0, -1.0, 1.0)


def nibbles(codes):
    return (codes[..., 0::2] | codes[..., 1::2] << 4).to(torch.uint8)


def mxfp4(weight):
    groups = grouped(weight, 32)
    exponents = (groups.abs().amax(-1) / 6).log2().ceil()
    codes, value = fp4(groups / 2 ** exponents[..., None])
    parts = {
        "weight_packed": nibbles(codes.reshape(weight.shape)),
        "weight_scale": (exponents + 127).to(torch.uint8),
    }
    return parts, (value * 2 ** exponents[..., None]).reshape(weight.shape)


fp4_scheme = {"num_bits": 4, "type": "float", "symmetric": True, "group_size": 32, "scale_dtype": "torch.uint8"}
write("mxfp4", mxfp4, {**ct, "format": "mxfp4-pack-quantized", "config_groups": scheme(**fp4_scheme)})

os.makedirs("torch-sharded", exist_ok=True)
shutil.copy(f"{source}/config.json", "torch-sharded")
names = sorted(weights)
shards = {"pytorch_model-00001-of-00002.bin": names[:20], "pytorch_model-00002-of-00002.bin": names[20:]}
for shard, held in shards.items():
    torch.save({name: weights[name] for name in held}, f"torch-sharded/{shard}")
index = {"metadata": {}, "weight_map": {name: shard for shard, held in shards.items() for name in held}}
json.dump(index, open("torch-sharded/pytorch_model.bin.index.json", "w"), indent=1)
json.dump(expected, open("expected.json", "w"), indent=1)
