"""llama.cpp's mmproj files of tiny checkpoints as JSON: metadata, and tensors with the SHA-256 of their data.
usage: make-goldens.py MODELS LLAMA_CPP [name…]   (MODELS: the folder with make-arch-models.py and the checkpoints)"""
import hashlib, json, math, os, shutil, struct, subprocess, sys, tempfile
from pathlib import Path
from safetensors.torch import load_file, save_file

models, llama_cpp = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
here = Path(__file__).parent
tools = dict(struct=struct, hashlib=hashlib, math=math, json=json, Path=Path)
source = (models / "make-arch-models.py").read_text()
exec(source[source.index('T = ["u8"'):source.index("# ---- llama.cpp's own answer")], tools)  # gguf_json, write_json


def checkpoint(case, folder):
    own = here / case["from"]
    shutil.copytree(own if own.exists() else models / case["from"], folder)
    os.chmod(folder, 0o755)
    for file in folder.iterdir(): os.chmod(file, 0o644)
    for name, keys in case.get("files", {}).items():
        file = folder / name
        file.write_text(json.dumps({**(json.loads(file.read_text()) if file.exists() else {}), **keys}))
    weights = folder / "model.safetensors"
    for now, published in case.get("rename", []):  # the converter knows the published names alone
        save_file({published + k[len(now):] if k.startswith(now) else k: v for k, v in load_file(weights).items()}, weights)


for case in json.loads((here / "cases.json").read_text()):
    if sys.argv[3:] and case["name"] not in sys.argv[3:]: continue
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        checkpoint(case, folder)
        for kind in case["types"]:
            made = folder / "mmproj.gguf"
            run = [sys.executable, here / "run-convert.py", llama_cpp, folder, "--mmproj", "--outtype", kind, "--outfile", made]
            subprocess.run(run, check=True)
            tools["write_json"](tools["gguf_json"](made), here / f"{case['name']}-{kind}.json")
