# Records what llama.cpp's convert_lora_to_gguf.py makes of the adapters of peft.json: see README.md.
#   python record-gguf.py peft.json MODELS SHARED LLAMA_CPP OUT
import hashlib, json, subprocess, sys
from pathlib import Path
import numpy as np, torch
from safetensors.torch import save_file
cases, models, shared, llama, out = json.load(open(sys.argv[1])), sys.argv[2], sys.argv[3], sys.argv[4], Path(sys.argv[5])
sys.path.insert(0, llama + '/gguf-py')
from gguf import GGUFReader
def numbers(shape, seed):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    v = ((i * 7919 + seed * 104729 + (i // 13) * 31) % 2003 - 1001).astype(np.float64) / 4004
    return torch.tensor(v.astype(np.float32).reshape(shape))
card = '---\nbase_model: quern/A-Model-1B\nlicense: mit\ntags:\n- lora\n- peft\n---\n\n# An adapter\n'
wanted = [('tiny-llama', t) for t in ('f32', 'f16', 'bf16', 'q8_0')] + [(c, 'f32') for c in ('tiny-llama-root', 'qwen2', 'phi3-long', 'glm4', 'gptneox', 'qwen35')]
result = {}
for name, kind in wanted:
    case = cases[name]
    folder = out / 'some-adapter'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'README.md').write_text(card)
    (folder / 'adapter_config.json').write_text(json.dumps(case['config']))
    save_file({n: numbers(s, i) for i, (n, s) in enumerate(case['tensors'])}, folder / 'adapter_model.safetensors')
    base = Path(models) / case['model']
    if not base.exists(): base = Path(shared) / case['model']
    file = out / f'{name}-{kind}.gguf'
    subprocess.run([sys.executable, llama + '/convert_lora_to_gguf.py', folder, '--base', base, '--outtype', kind, '--outfile', file], check=True, capture_output=True)
    reader = GGUFReader(file)
    result[f'{name} {kind}'] = {
        'metadata': {k: [f.types[0].name.lower() + ('' if len(f.types) == 1 else ' ' + f.types[1].name.lower()), f.contents()] for k, f in reader.fields.items() if not k.startswith('GGUF.')},
        'tensors': [[t.name, t.shape.tolist()[::-1], t.tensor_type.name, hashlib.sha256(t.data.tobytes()).hexdigest()[:16]] for t in reader.tensors],
    }
json.dump(result, open(out / 'gguf.json', 'w'), separators=(',', ':'))
