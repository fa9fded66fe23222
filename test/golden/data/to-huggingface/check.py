"""Loads exported checkpoints with transformers and compares them with the originals; prints loaded.json.
usage: check.py TEST_MODELS EXPORTED TEXT   (EXPORTED/<name> made by `quern convert <gguf> --to hf -o EXPORTED/<name>`)"""
import hashlib, json, sys
from pathlib import Path
import sentencepiece, torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

models, exported, text = Path(sys.argv[1]), Path(sys.argv[2]), open(sys.argv[3]).read()[:20000]
names = ["llama-spm", "llama3", "mistral", "mixtral", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "tiny-llama"]
samples = [text[i:i + 400] for i in range(0, len(text), 400)] + [
    "", " ", "  two  spaces", "tabs\tand\nnewlines\n\n", "naïve café 東京 🙂🙂 ﷽ ſ", "12345 6.78e-9 it's I'M we'LL", "don't\r\n",
    "   leading", "<0x0A>", "▁x ▁ y", "\u200b\ufeff x\x00"]
special = ["a<s>b</s>c", "<|im_start|>user\nhi<|im_end|>\n", "<|bos|>x<|eos|>"]
chat = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Again"}]

def logits(folder, ids):
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], info
    with torch.no_grad():
        return model.eval()(ids).logits

loaded = {}
for name in names:
    original, ours = models / ("" if name == "tiny-llama" else "arch") / name, exported / name
    ids = torch.randint(3, 500, (2, 48), generator=torch.Generator().manual_seed(3))
    assert torch.equal(logits(original, ids), logits(ours, ids)), name
    assert AutoConfig.from_pretrained(ours).dtype == AutoConfig.from_pretrained(original).dtype == torch.bfloat16
    a, b = AutoTokenizer.from_pretrained(original), AutoTokenizer.from_pretrained(ours)
    if (original / "tokenizer.model").exists():
        # transformers reads `legacy: false` differently from SentencePiece where a text begins with a space.
        first, second = (sentencepiece.SentencePieceProcessor(model_file=str(d / "tokenizer.model")) for d in (original, ours))
        for s in samples:
            assert first.encode(s) == second.encode(s) == b.encode(s, add_special_tokens=False), (name, s)
            assert b.encode(s) == [1, *first.encode(s)], (name, s)
    else:
        for s in samples + special:
            assert a.encode(s) == b.encode(s), (name, s)
            assert a.decode(a.encode(s), skip_special_tokens=True) == b.decode(b.encode(s), skip_special_tokens=True)
    if a.chat_template:
        for prompt in (False, True):
            texts = [t.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt) for t in (a, b)]
            assert texts[0] == texts[1], name
    loaded[name] = {f.name: hashlib.sha256(f.read_bytes()).hexdigest()
                    for f in sorted(ours.iterdir()) if f.name != "model.safetensors"}
print(json.dumps(loaded, indent=1))
