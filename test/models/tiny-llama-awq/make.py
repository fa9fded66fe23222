"""AutoAWQ's checkpoint of tiny-llama without the embedding, which ../tiny-llama has (README.md).

python make.py <folder that AutoAWQ wrote>
"""
import json
import shutil
import sys

from safetensors.torch import load_file, save_file

source = sys.argv[1]
tensors = load_file(f"{source}/model.safetensors")
embedding = load_file("../tiny-llama/model.safetensors")["model.embed_tokens.weight"]
assert (tensors.pop("model.embed_tokens.weight") == embedding.float()).all()
shard = "model-00002-of-00002.safetensors"
save_file(tensors, shard, {"format": "pt"})
weight_map = {name: shard for name in tensors} | {"model.embed_tokens.weight": "model-00001-of-00002.safetensors"}
json.dump({"metadata": {}, "weight_map": weight_map}, open("model.safetensors.index.json", "w"), indent=1)
shutil.copy(f"{source}/config.json", ".")
