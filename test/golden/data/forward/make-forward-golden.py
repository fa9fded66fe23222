"""What transformers computes for the network variants that no checkpoint in test/models has: scaled rope, a sliding window.

Each variant is a model of test/models with some config keys changed (its weights stay), run on the first row of that
model's recorded input_ids: eager attention, f32 arithmetic on the bf16 weights. variants.safetensors holds the logits of
ROWS [4, vocab] per variant, variants.json the changed keys. `unchanged` and `experts-unchanged` are tiny-llama and
tiny-qwen3-moe as they are: their own recordings were made with rope frequencies rounded to bf16. rope.json holds inverse frequencies and cos/sin tables as
transformers makes them, for head sizes and contexts of real models.

Made with transformers 5.23.0, torch 2.15.0 (CPU):  python make-forward-golden.py
"""
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

HERE = Path(__file__).parent
MODELS = HERE / "../../../models"
ROWS = [0, 9, 30, 47]

VARIANTS = {
    "linear": ("arch/llama-spm", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}}),
    "yarn": (
        "arch/qwen2",
        {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": 1000000.0}},
    ),
    "yarn-tuned": (
        "arch/qwen3",
        {
            "rope_parameters": {
                "rope_type": "yarn",
                "factor": 8.0,
                "original_max_position_embeddings": 32,
                "rope_theta": 10000.0,
                "attention_factor": 1.3,
                "beta_fast": 4.0,
                "beta_slow": 0.5,
            }
        },
    ),
    "window": ("arch/mistral", {"sliding_window": 8}),
    "unchanged": ("tiny-llama", {}),
    "experts-used": ("arch/qwen2moe", {"num_experts_per_tok": 3}),
    "experts-window": ("arch/mixtral", {"sliding_window": 8}),
    "experts-unchanged": ("tiny-qwen3-moe", {}),
}

ROPES = {
    "default": {"rope_type": "default", "rope_theta": 10000.0},
    "linear": {"rope_type": "linear", "factor": 3.0, "rope_theta": 10000.0},
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "rope_theta": 1000000.0},
    "llama3": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
        "rope_theta": 500000.0,
    },
}
POSITIONS = [0, 1, 77, 4095, 100000]

logits = {}
for name, (base, changes) in VARIANTS.items():
    config = AutoConfig.from_pretrained(MODELS / base)
    for key, value in changes.items():
        setattr(config, key, value)
    model = AutoModelForCausalLM.from_pretrained(
        MODELS / base, config=config, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    recorded = "expected/logits.safetensors" if base.startswith("tiny-") else "expected.safetensors"
    ids = load_file(MODELS / base / recorded)["input_ids"][:1].long()
    with torch.no_grad():
        logits[name] = model(ids).logits[0, ROWS].contiguous()
save_file(logits, HERE / "variants.safetensors")
(HERE / "variants.json").write_text(
    json.dumps({name: {"model": base, "rows": ROWS, "changes": changes} for name, (base, changes) in VARIANTS.items()}, indent=1) + "\n"
)

ropes = {}
for name, parameters in ROPES.items():
    config = LlamaConfig(hidden_size=256, num_attention_heads=2, head_dim=128, max_position_embeddings=131072, rope_parameters=parameters)
    rotary = LlamaRotaryEmbedding(config)
    cos, sin = rotary(torch.zeros(1, 1, 1), torch.tensor([POSITIONS]))
    ropes[name] = {
        "parameters": parameters,
        "inverse": rotary.inv_freq.tolist(),
        "attentionFactor": rotary.attention_scaling,
        "cos": cos[0, :, :64].tolist(),
        "sin": sin[0, :, :64].tolist(),
    }
(HERE / "rope.json").write_text(json.dumps({"dimension": 128, "positions": POSITIONS, "ropes": ropes}) + "\n")
