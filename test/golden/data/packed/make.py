"""Packs small random matrices with the libraries that define the formats, and records what they unpack to.

Usage: python make.py SITE_PACKAGES TINY_LLAMA_AWQ OUT   (versions: README.md)
"""
import importlib.util
import json
import sys
import mlx.core as mx
import numpy as np
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
from compressed_tensors.quantization import QuantizationScheme
from compressed_tensors.quantization.lifecycle.forward import dequantize
from modelopt.torch.export.quant_utils import pack_int4_in_uint8
from modelopt.torch.quantization.qtensor.nvfp4_tensor import NVFP4QTensor
from safetensors.torch import load_file, save_file
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

site, awq_folder, out_folder = sys.argv[1:]
torch.manual_seed(6)
generator = np.random.default_rng(6)


def module(path):  # one file of a package whose __init__ wants more than is installed
    spec = importlib.util.spec_from_file_location("loaded", f"{site}/{path}")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def save(case, tensors, truth, config, side=None):
    """truth: the unpacked weight in f32. The configuration travels in the file's metadata."""
    metadata = {"config": json.dumps(config)} | ({"hf_quant_config": json.dumps(side)} if side else {})
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(tensors | {"truth": truth.float().contiguous()}, f"{out_folder}/{case}.safetensors", metadata)


def weights(*shape):
    return torch.randn(*shape) * 0.05


# AWQ: AutoAWQ's own checkpoint, two groups of sixteen channels
awq_tools = module("awq/utils/packing_utils.py")
stored = load_file(f"{awq_folder}/model.safetensors")
name = "model.layers.0.self_attn.k_proj"
qweight, qzeros, scales = (stored[f"{name}.{part}"] for part in ("qweight", "qzeros", "scales"))
qweight, qzeros, scales = qweight[:, 3:5], qzeros[:, 3:5], scales[:, 24:40]
save(
    "awq", {"m.qweight": qweight, "m.qzeros": qzeros, "m.scales": scales},
    awq_tools.dequantize_gemm(qweight, qzeros, scales.float(), 4, 128).t(),
    {"quantization_config": json.load(open(f"{awq_folder}/config.json"))["quantization_config"]},
)

# GPTQ: AutoGPTQ packs, and multiplies with the identity
gptq_tools = module("auto_gptq/nn_modules/qlinear/qlinear_cuda.py")


def gptq(case, bits, act_order=False, symmetric=False, v2=False, group=32):
    rows, cols = 64, 96
    groups = cols // group
    top = 2**bits - 1
    scale = (torch.rand(rows, groups) * 0.01 + 0.001).half().float()
    zero = torch.full((rows, groups), 2.0 ** (bits - 1)) if symmetric else torch.randint(1, top + 1, (rows, groups)).float()
    index = torch.arange(cols) // group
    if act_order:
        index = index[torch.randperm(cols)]
    codes = torch.randint(0, top + 1, (rows, cols))
    linear = torch.nn.Linear(cols, rows, bias=False)
    linear.weight.data = (codes - zero[:, index]) * scale[:, index]
    layer = gptq_tools.QuantLinear(bits, group, cols, rows, False)
    layer.pack(linear, scale.clone(), zero.clone(), index.int())
    layer.scales = layer.scales.float()
    truth = layer(torch.eye(cols)).t()
    qzeros = layer.qzeros
    if v2:  # what is stored is the zero itself: 1 more in every nibble, none of which overflows here
        assert bits == 4 and bool((zero < 16).all())
        qzeros = torch.from_numpy(qzeros.numpy().view(np.uint32) + np.uint32(0x11111111)).view(torch.int32)
    tensors = {"m.qweight": layer.qweight, "m.qzeros": qzeros, "m.scales": scale.t().half(), "m.g_idx": layer.g_idx}
    config = dict(
        quant_method="gptq", bits=bits, group_size=group, desc_act=act_order, sym=symmetric,
        checkpoint_format="gptq_v2" if v2 else "gptq",
    )
    save(case, tensors, truth, {"quantization_config": config})


for bits in (2, 3, 4, 8):
    gptq(f"gptq-{bits}", bits)
gptq("gptq-4-act-order", 4, act_order=True)
gptq("gptq-3-act-order", 3, act_order=True)
gptq("gptq-4-symmetric", 4, symmetric=True)
gptq("gptq-v2-4", 4, v2=True)


# compressed-tensors: its compressors
def compressed(case, format, weight, scale, args, zero=None, more={}, scale_dtype=torch.bfloat16):
    args = dict(num_bits=8, type="int", symmetric=zero is None) | args
    scheme = QuantizationScheme(targets=["Linear"], weights=args)
    compressor = BaseCompressor.get_value_from_registry(format)
    state = {"weight": weight, "weight_scale": scale} | more | ({} if zero is None else {"weight_zero_point": zero})
    packed = compressor.compress(state, scheme)
    if "weight_global_scale" in more:  # decompress() computes in bf16; the same steps in f32
        values = unpack_fp4_from_uint8(packed["weight_packed"], *weight.shape, dtype=torch.float32)
        divisor = more["weight_global_scale"]
        truth = dequantize(values, packed["weight_scale"].float(), args=scheme.weights, global_scale=divisor, dtype=torch.float32)
    else:
        truth = compressor.decompress(packed, scheme)["weight"]
    if scale_dtype is not None:
        packed["weight_scale"] = packed["weight_scale"].to(scale_dtype)
    args.pop("scale_dtype", None)
    config = dict(
        quant_method="compressed-tensors", format=format, ignore=["lm_head"],
        config_groups={"group_0": {"targets": ["Linear"], "weights": args}},
    )
    save(case, {f"m.{part}": value for part, value in packed.items()}, truth, {"quantization_config": config})


def scales_for(*shape):
    return (torch.rand(*shape) * 0.01 + 0.001).bfloat16().float()


group = dict(strategy="group", group_size=32)
zeros = lambda low, high, *shape: torch.randint(low, high, shape, dtype=torch.int8)
compressed("ct-pack-4", "pack-quantized", weights(20, 96), scales_for(20, 3), group | dict(num_bits=4))
compressed("ct-pack-4-zeros", "pack-quantized", weights(20, 96), scales_for(20, 3), group | dict(num_bits=4), zeros(-8, 8, 20, 3))
compressed("ct-pack-4-odd", "pack-quantized", weights(5, 37), scales_for(5, 1), dict(num_bits=4, strategy="channel"))
compressed("ct-pack-8-zeros", "pack-quantized", weights(9, 64), scales_for(9, 1), dict(strategy="channel"), zeros(-90, 90, 9, 1))
compressed("ct-int", "int-quantized", weights(9, 40), scales_for(9, 1), dict(strategy="channel"))
compressed("ct-int-tensor", "int-quantized", weights(9, 40), scales_for(1), dict(strategy="tensor"))
floats = dict(num_bits=8, type="float")
compressed("ct-float", "float-quantized", weights(9, 40), scales_for(9, 1), floats | dict(strategy="channel"))
compressed("ct-float-tensor", "float-quantized", weights(9, 40), scales_for(1), floats | dict(strategy="tensor"))
tile = floats | dict(strategy="block", block_structure=[16, 32])
compressed("ct-float-block", "float-quantized", weights(48, 64), scales_for(3, 2), tile)
fp4 = dict(num_bits=4, type="float", group_size=16, strategy="tensor_group")
divisor = {"weight_global_scale": torch.tensor([2688.0 / 0.17])}
fp4_scales = (torch.rand(8, 8) * 400 + 1).to(torch.float8_e4m3fn).float()
compressed("ct-nvfp4", "nvfp4-pack-quantized", weights(8, 128), fp4_scales, fp4, more=divisor, scale_dtype=None)
powers = 2.0 ** torch.randint(-9, -2, (8, 4)).float()
compressed("ct-mxfp4", "mxfp4-pack-quantized", weights(8, 128), powers, fp4 | dict(group_size=32, strategy="group"), scale_dtype=None)
compressed(
    "ct-mxfp8", "mxfp8-quantized", weights(8, 64), powers[:, :2] / 64,
    floats | dict(group_size=32, strategy="group", scale_dtype=torch.uint8), scale_dtype=None,
)

# MLX
for bits, dtype in ((2, mx.float16), (3, mx.bfloat16), (4, mx.float16), (5, mx.float16), (6, mx.bfloat16), (8, mx.float32)):
    shape = (3, 4, 64) if bits == 4 else (6, 64)  # one stack of experts
    matrix = mx.array(generator.standard_normal(shape, dtype=np.float32) * 0.05).astype(dtype)
    codes, scale, offset = mx.quantize(matrix, group_size=32, bits=bits)
    truth = mx.dequantize(codes, scale.astype(mx.float32), offset.astype(mx.float32), group_size=32, bits=bits)
    kind = {mx.float16: torch.float16, mx.bfloat16: torch.bfloat16, mx.float32: torch.float32}[dtype]
    as_torch = lambda value: torch.from_numpy(np.array(value.astype(mx.float32))).to(kind)
    tensors = {"m.weight": torch.from_numpy(np.array(codes)), "m.scales": as_torch(scale), "m.biases": as_torch(offset)}
    settings = dict(group_size=32, bits=bits, mode="affine")
    whole = dict(group_size=64, bits=4, m=settings) if bits == 6 else settings  # 6: by an entry for the module
    save(f"mlx-{bits}", tensors, torch.from_numpy(np.array(truth)), {"quantization": whole, "quantization_config": whole})

# ModelOpt
matrix, scale = weights(10, 64), scales_for(10, 2)
codes = (matrix / scale.repeat_interleave(32, 1)).round().clamp(-8, 7)
side = {"producer": {"name": "modelopt"}, "quantization": dict(quant_algo="W4A16_AWQ", group_size=32, has_zero_point=False)}
save(
    "modelopt-int4", {"m.weight": pack_int4_in_uint8(matrix, scale, 32), "m.weight_scale": scale.bfloat16()},
    codes * scale.repeat_interleave(32, 1), {}, side,
)
matrix = weights(8, 128)
packed, scale, second = NVFP4QTensor.quantize(matrix, 16)
truth = packed.dequantize(torch.float32, scale=scale, double_scale=second, block_sizes={-1: 16})
side = {"producer": {"name": "modelopt"}, "quantization": dict(quant_algo="NVFP4", group_size=16)}
save("modelopt-nvfp4", {"m.weight": packed._quantized_data, "m.weight_scale": scale, "m.weight_scale_2": second.float()}, truth, {}, side)
matrix = weights(9, 40)
scale = matrix.abs().max() / 448
config = {"quantization_config": dict(quant_method="modelopt", quant_algo="FP8")}
low = (matrix / scale).to(torch.float8_e4m3fn)
save("modelopt-fp8", {"m.weight": low, "m.weight_scale": scale, "m.input_scale": torch.tensor(0.5)}, low.float() * scale, config)

# FP8 in tiles, the last ones partial
low, scale = (weights(50, 80) * 1000).to(torch.float8_e4m3fn), torch.rand(2, 3) * 0.01
truth = low.float() * scale.repeat_interleave(32, 0)[:50].repeat_interleave(32, 1)[:, :80]
config = {"quantization_config": dict(quant_method="fp8", weight_block_size=[32, 32], activation_scheme="dynamic")}
save("fp8-block", {"m.weight": low, "m.weight_scale_inv": scale}, truth, config)

# MXFP4 of gpt-oss, which transformers unpacks turned
blocks = torch.randint(0, 256, (2, 6, 2, 16), dtype=torch.uint8)
scale = torch.randint(110, 130, (2, 6, 2), dtype=torch.uint8)
truth = convert_moe_packed_tensors(blocks, scale, dtype=torch.float32).transpose(1, 2)
save("mxfp4", {"m_blocks": blocks, "m_scales": scale}, truth, {"quantization_config": dict(quant_method="mxfp4")})
