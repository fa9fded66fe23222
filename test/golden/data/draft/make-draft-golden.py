"""Records what the draft blocks (MTP) of the tiny models give: make-draft-golden.py MODELS/arch OUT.safetensors

transformers leaves these blocks out, so each is put together here from the same modules of transformers that its model is
made of, as the serving engines' published code does:  x = join([embeddingNorm(embedding[next]), hiddenNorm(hidden)]),
decoder layer, norm, output matrix; `hidden` is behind the model's last norm. A second step goes on from the last row with
the block's own hidden state and the token 7.
"""
import copy, importlib, json, sys
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

source, out = sys.argv[1:]
STEP = 6  # every so many rows are recorded
SECOND = 7


def stacked(weights, parts, to):
    """Experts one by one -> the stack of transformers 5."""
    found = {k: v for k, v in weights.items() if ".experts." in k and k.split(".experts.")[1][0].isdigit()}
    count = len({k.split(".experts.")[1].split(".")[0] for k in found})
    base = next(iter(found)).split(".experts.")[0]
    one = lambda i: torch.cat([found[f"{base}.experts.{i}.{p}.weight"] for p in parts], 0)
    rest = {k: v for k, v in weights.items() if k not in found}
    return rest | {f"{base}.experts.{to}": torch.stack([one(i) for i in range(count)])} | (
        {} if "down_proj" in parts else {f"{base}.experts.down_proj": torch.stack([found[f"{base}.experts.{i}.down_proj.weight"] for i in range(count)])})


def loaded(module, weights):
    module.load_state_dict(weights, strict=True)
    return module.float().eval()


def part(weights, prefix):
    return {k[len(prefix):]: v.float() for k, v in weights.items() if k.startswith(prefix)}


def record(name):
    folder = f"{source}/{name}"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    config = model.config
    weights = load_file(f"{folder}/model.safetensors")
    ids = load_file(f"{folder}/expected.safetensors")["input_ids"][:1].long()
    code = importlib.import_module(type(model).__module__)
    kind = type(model).__name__.removesuffix("ForCausalLM")
    cls = lambda suffix: getattr(code, kind + suffix)
    eps = getattr(config, "rms_norm_eps", None) or config.layer_norm_epsilon
    norm = lambda w: loaded(cls("RMSNorm")(config.hidden_size, eps=eps), {"weight": w.float()})
    table, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    if kind == "Glm4MoeLite":
        own = part(weights, f"model.layers.{config.num_hidden_layers}.")
        table, head = own.pop("embed_tokens.weight"), own.pop("shared_head.head.weight")
        enorm, hnorm, join, last = (own.pop(f"{k}.weight") for k in ("enorm", "hnorm", "eh_proj", "shared_head.norm"))
        layers = [loaded(cls("DecoderLayer")(config, config.mlp_layer_types.index("sparse")), stacked(own, ["gate_proj", "up_proj"], "gate_up_proj"))]
    elif kind == "BailingHybrid":
        own = part(weights, f"model.layers.{config.num_hidden_layers}.")
        enorm, hnorm, join, last = (own.pop(f"{k}.weight") for k in ("enorm", "hnorm", "eh_proj", "final_layernorm"))
        renamed = {"attention.dense.": "self_attn.o_proj.", "attention.": "self_attn.", "mlp.gate.expert_bias": "mlp.gate.e_score_correction_bias"}
        for old, new in renamed.items(): own = {new + k[len(old):] if k.startswith(old) else k: v for k, v in own.items()}
        layers = [loaded(cls("DecoderLayer")(config, config.layer_types.index("full_attention")), stacked(own, ["gate_proj", "up_proj"], "gate_up_proj"))]
    elif kind == "NemotronH":
        first, second = part(weights, "mtp.layers.0."), stacked(part(weights, "mtp.layers.1."), ["up_proj"], "up_proj")
        enorm, hnorm, join = (first.pop(f"{k}.weight") for k in ("enorm", "hnorm", "eh_proj"))
        last = second.pop("final_layernorm.weight")
        kinds = config.layers_block_type
        layers = [loaded(cls("Block")(config, kinds.index("full_attention")), first), loaded(cls("Block")(config, kinds.index("moe")), second)]
    else:
        own, outer = part(weights, "mtp.layers.0."), part(weights, "mtp.")
        enorm, hnorm, join, last = (outer[f"{k}.weight"] for k in ("pre_fc_norm_embedding", "pre_fc_norm_hidden", "fc", "norm"))
        if kind == "ExaoneMoe":
            config = copy.deepcopy(config)
            config.layer_types = ["full_attention"] * config.num_hidden_layers
            layers = [loaded(cls("DecoderLayer")(config, 0), own)]
        else:
            layers = [loaded(cls("DecoderLayer")(config, config.layer_types.index("full_attention")), own)]
    enorm, hnorm, last = norm(enorm), norm(hnorm), norm(last)

    def block(hidden, tokens):
        x = torch.cat([enorm(table[tokens]), hnorm(hidden)], -1) @ join.float().T
        T = tokens.shape[1]
        positions = torch.arange(T)[None]
        mask = torch.full((T, T), float("-inf")).triu(1)[None, None]
        extra = {}
        if hasattr(model.model, "rotary_emb"): extra["position_embeddings"] = model.model.rotary_emb(x, positions)
        for layer in layers:
            x = layer(x, attention_mask=mask, position_ids=positions, **extra)
            x = x[0] if isinstance(x, tuple) else x
        return last(x)

    with torch.no_grad():
        hidden = model.model(ids).last_hidden_state
        pairs = block(hidden[:, :-1], ids[:, 1:])
        after = block(torch.cat([hidden[:, :-1], pairs[:, -1:]], 1), torch.cat([ids[:, 1:], torch.tensor([[SECOND]])], 1))
        assert torch.allclose(after[:, :-1], pairs, atol=1e-5)
        logits = pairs @ head.float().T
        rows = torch.arange(0, logits.shape[1], STEP)
        return {f"{name}.rows": rows.int(), f"{name}.logits": logits[0, rows].contiguous(), f"{name}.second": (after[0, -1:] @ head.float().T).contiguous()}


all_ = {}
for name in ["qwen35", "qwen35moe", "glm4moelite", "exaonemoe", "nemotronh-moe", "bailingmoe3"]: all_ |= record(name)
save_file(all_, out, metadata={"second": str(SECOND)})
print(json.dumps({k: list(v.shape) for k, v in all_.items()}))
