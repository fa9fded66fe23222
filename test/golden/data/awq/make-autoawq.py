# AutoAWQ's own search on tiny-llama, recorded. See README.md.
#   python make-autoawq.py <checkpoint folder with rope_theta in config.json> <calibration.json> <output folder>
import json
import sys

import torch
from awq import AutoAWQForCausalLM
from awq.quantize.quantizer import AwqQuantizer
from safetensors.torch import save_file
from transformers import AutoTokenizer

source, calibration, output = sys.argv[1:4]
compute_best_scale, losses_of, records = AwqQuantizer._compute_best_scale, AwqQuantizer._compute_loss, []


def recorded(self, x, w_mean, x_mean, inspected, *rest):
    """Restores the inspected module from a copy: on a CPU its state_dict() is not one."""
    state_dict, losses = inspected.state_dict, []
    inspected.state_dict = lambda: {name: value.clone() for name, value in state_dict().items()}
    self._compute_loss = lambda *tensors: losses.append(losses_of(self, *tensors)) or losses[-1]
    try:
        scales = compute_best_scale(self, x, w_mean, x_mean, inspected, *rest)
    finally:
        del inspected.state_dict, self._compute_loss
    records.append((losses, scales))
    return scales


AwqQuantizer._compute_best_scale = recorded
model = AutoAWQForCausalLM.from_pretrained(source, torch_dtype=torch.float32, device_map="cpu", use_cache=False)
model.quantize(
    AutoTokenizer.from_pretrained(source),
    quant_config=dict(zero_point=True, q_group_size=128, w_bit=4, version="GEMM"),
    calib_data=json.load(open(calibration)),
    max_calib_samples=64,
    max_calib_seq_len=512,
)
# The first block: its weights and inputs are the same for every program, whatever it rounds.
kept = ["self_attn.q_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj"]
state = model.model.model.layers[0].state_dict()
tensors = {f"{name}.{part}": state[f"{name}.{part}"] for name in kept for part in ("qweight", "qzeros", "scales")}
tensors |= {f"losses.{i}": torch.tensor(losses, dtype=torch.float64) for i, (losses, _) in enumerate(records)}
tensors |= {f"scales.{i}": scales for i, (_, scales) in enumerate(records)}
save_file({name: value.contiguous() for name, value in tensors.items()}, f"{output}/autoawq.safetensors")
