"""Files of torch.save, and what they hold (README.md). Run in this folder: python make.py"""
import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict

import torch

torch.manual_seed(1)
base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
types = OrderedDict(
    (str(dtype).removeprefix("torch."), (torch.arange(6) % 2 + torch.arange(6) // 3).reshape(2, 3).to(dtype))
    for dtype in [
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool,
        torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz,
    ]
)
views = OrderedDict(
    whole=base,
    transposed=base.t(),
    columns=base[:, 1:5:2],
    rows=base[1:3],
    permuted=torch.arange(24, dtype=torch.int16).reshape(2, 3, 4).permute(2, 0, 1),
    expanded=torch.ones(1, 3).expand(4, 3),
    scalar=torch.tensor(7.0),
    empty=torch.zeros(0, 3),
)
model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))


def dump(tensor):
    tensor = tensor.detach().contiguous()
    data = tensor.view(torch.uint8) if tensor.dim() else tensor.reshape(1).view(torch.uint8)
    return {"shape": list(tensor.shape), "hex": bytes(data.flatten().tolist()).hex()}


def save(name, value, **options):
    torch.save(value, name, **options)
    return name


expected = {}
for name, tensors, saved, options in [
    ("types.bin", types, types, {}),
    ("views.bin", views, views, {}),
    ("module.bin", model.state_dict(), model.state_dict(), {}),
    ("parameters.bin", dict(model.named_parameters()), dict(model.named_parameters()), {}),
    ("training.bin", views, {"epoch": 3, "lr": 0.1, "state_dict": views}, {}),
    ("protocol-4.bin", types, types, {"pickle_protocol": 4}),
    ("legacy.bin", views, views, {"_use_new_zipfile_serialization": False}),
    ("legacy-module.bin", model.state_dict(), model.state_dict(), {"_use_new_zipfile_serialization": False}),
]:
    save(name, saved, **options)
    expected[name] = {key: dump(tensor) for key, tensor in tensors.items()}

# The same archive deflated, as zip tools make it.
with zipfile.ZipFile("views.bin") as stored, zipfile.ZipFile("deflated.bin", "w", zipfile.ZIP_DEFLATED) as deflated:
    for entry in stored.namelist():
        deflated.writestr(entry, stored.read(entry))
expected["deflated.bin"] = expected["views.bin"]

# The same with zip64 records throughout.
with zipfile.ZipFile("views.bin") as stored, zipfile.ZipFile("zip64.bin", "w") as wide:
    for entry in stored.namelist():
        with wide.open(entry, "w", force_zip64=True) as out:
            out.write(stored.read(entry))
expected["zip64.bin"] = expected["views.bin"]


class Evil:
    """Loading it with pickle would make the file PWNED."""

    def __reduce__(self):
        return (os.system, ("echo executed > PWNED",))


torch.save({"weight": torch.ones(2), "evil": Evil()}, "malicious.bin")
torch.save({"weight": torch.ones(2), "evil": Evil()}, "malicious-legacy.bin", _use_new_zipfile_serialization=False)
torch.save(model, "whole-module.bin")
torch.save({"weight": torch.sparse_coo_tensor([[0], [1]], [1.0], (2, 2))}, "sparse.bin")

with open("expected.json", "w") as out:
    out.write(json.dumps(expected, indent=1) + "\n")
