"""config.json in many spellings and the metadata that llama.cpp's converter writes from each.
usage: make-expected.py LLAMA_CPP > expected.json   (transformers, numpy, pyyaml; no torch: a stub stands in, no tensor is touched)"""
import sys, json, tempfile, types, importlib.machinery
from pathlib import Path
from unittest.mock import MagicMock
import transformers  # before the stub, so that it finds no torch

class Stub(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        setattr(self, name, MagicMock()); return getattr(self, name)
torch = Stub("torch"); torch.Tensor = type("Tensor", (), {}); torch.__spec__ = importlib.machinery.ModuleSpec("torch", None)
sys.modules["torch"] = torch
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/gguf-py"]
import gguf
from conversion.llama import LlamaModel
from conversion.qwen import Qwen2Model, Qwen2MoeModel, Qwen3Model, Qwen3MoeModel

# class name: (model_type, converter class, heads and width that suit the default number of KV heads)
CLASSES = {
    "LlamaForCausalLM": ("llama", LlamaModel, 4, 64),
    "MistralForCausalLM": ("mistral", LlamaModel, 8, 64),
    "Qwen2ForCausalLM": ("qwen2", Qwen2Model, 64, 256),
    "Qwen3ForCausalLM": ("qwen3", Qwen3Model, 64, 256),
    "MixtralForCausalLM": ("mixtral", LlamaModel, 8, 64),
    "Qwen2MoeForCausalLM": ("qwen2_moe", Qwen2MoeModel, 16, 64),
    "Qwen3MoeForCausalLM": ("qwen3_moe", Qwen3MoeModel, 4, 64),
}
# Mixtures of experts, and the keys without which quern refuses them.
EXPERTS = {"MixtralForCausalLM": {}, "Qwen2MoeForCausalLM": {}, "Qwen3MoeForCausalLM": dict(norm_topk_prob=True)}
YARN = dict(num_key_value_heads=2, rope_theta=1e6, max_position_embeddings=32768)
SPELLINGS = {
    "nullkv": dict(num_key_value_heads=None),
    "old": dict(num_key_value_heads=2, rope_theta=500000.0, max_position_embeddings=1000, rms_norm_eps=1e-5, rope_scaling=None, torch_dtype="bfloat16"),
    "linear": dict(num_key_value_heads=2, rope_theta=10000.0, rope_scaling=dict(type="linear", factor=4.0)),
    "yarn": dict(YARN, rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=8192)),
    "yarn-noorig": dict(YARN, rope_scaling=dict(rope_type="yarn", factor=4.0, attention_factor=1.2, beta_fast=16, beta_slow=2)),
    "yarn-new": dict(num_key_value_heads=2, max_position_embeddings=32768, rope_parameters=dict(rope_type="yarn", rope_theta=5e5, factor=2.0, original_max_position_embeddings=4096, extrapolation_factor=0.5)),
    "headdim": dict(num_key_value_heads=2, head_dim=24),
    "llama3": dict(num_key_value_heads=2, rope_theta=5e5, max_position_embeddings=1024, rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)),
    "experts": dict(num_key_value_heads=2, num_experts=6, num_experts_per_tok=3, moe_intermediate_size=48),
    "experts-local": dict(num_key_value_heads=2, num_local_experts=6, num_experts_per_tok=1),
    "window": dict(num_key_value_heads=2, sliding_window=None, max_position_embeddings=1024, tie_word_embeddings=True),
}

def configs():
    base = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=4, num_attention_heads=4, vocab_size=512)
    for cls, (kind, _, heads, width) in CLASSES.items():
        named = dict(base, architectures=[cls], model_type=kind, **EXPERTS.get(cls, {}))
        yield f"{kind}-min", dict(named, num_attention_heads=heads, hidden_size=width)
        for name, keys in SPELLINGS.items():
            if name == "llama3" and kind.startswith("qwen"): continue  # the converter would drop the factors
            if name == "nullkv" and kind in ("mistral", "mixtral", "qwen2_moe", "qwen3_moe"): continue  # transformers 5.23 refuses null there, or cannot compute with it
            if name.startswith("experts") and cls not in EXPERTS: continue
            yield f"{kind}-{name}", dict(named, **keys)

def metadata(config):
    folder = Path(tempfile.mkdtemp())
    (folder / "config.json").write_text(json.dumps(config))
    model_class = CLASSES[config["architectures"][0]][1]
    model_class.index_tensors = lambda self, **_: {}
    model = model_class(folder, gguf.LlamaFileType.MOSTLY_BF16, folder / "unwritten.gguf")
    model.set_gguf_parameters()
    return [[key, value.type.name.lower(), value.value] for key, value in model.gguf_writer.kv_data[0].items()]

def entry(name, config):
    rows = ",\n".join("   " + json.dumps(row) for row in metadata(config))
    return f' {json.dumps(name)}: {{\n  "config": {json.dumps(config)},\n  "metadata": [\n{rows}\n  ]\n }}'

print("{\n" + ",\n".join(entry(name, config) for name, config in configs()) + "\n}")
