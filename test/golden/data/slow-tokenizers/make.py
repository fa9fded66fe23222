# python make.py: writes expected.json, the ids that transformers gives with each class and configuration.
import json, shutil, tempfile
from pathlib import Path

import transformers

here = Path(__file__).parent
end = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
cases = {
    "qwen2": {"tokenizer_class": "Qwen2Tokenizer", "bos_token": None, **end},
    "qwen2-fast": {"tokenizer_class": "Qwen2TokenizerFast", **end},
    "gpt2": {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"},
    "roberta": {
        "tokenizer_class": "RobertaTokenizer",
        **{f"{name}_token": "<|endoftext|>" for name in ("bos", "cls", "unk", "pad")},
        **{f"{name}_token": "<|im_end|>" for name in ("eos", "sep", "mask")},
    },
}
texts = [
    "Hello world",
    " the  man's 1234 houses,\n\nhe said: \"don't!\"  ",
    "Überraschung 你好 🙂\t12,5",
    "<|im_end|>and<|endoftext|> that",
    "THE CAT'S 00 x\r\n y",
]
expected = []
for name, config in cases.items():
    with tempfile.TemporaryDirectory() as folder:
        for file in ("vocab.json", "merges.txt", "added_tokens.json"):
            shutil.copy(here / file, folder)
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps(config))
        tokenizer = getattr(transformers, config["tokenizer_class"]).from_pretrained(folder)
        special = {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
        expected.append(
            {
                "name": name,
                "class": type(tokenizer).__name__,
                "config": config,
                "special": sorted(special),
                "plain": [tokenizer.encode(text, add_special_tokens=False) for text in texts],
                "whole": [tokenizer.encode(text) for text in texts],
            }
        )
(here / "expected.json").write_text(json.dumps({"texts": texts, "cases": expected}, ensure_ascii=False) + "\n")
