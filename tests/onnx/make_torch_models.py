"""Writes tests/onnx/torch/: models as PyTorch exports them, with rows and PyTorch's own answers.

Run with torch and onnx from PyPI: python tests/onnx/make_torch_models.py
"""

import io
import json
import pathlib

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "torch"
MODELS = {
    "softmax": nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(dim=1)),
    "dropout": nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 6), nn.Sigmoid(),
                             nn.Linear(6, 1)),
    "flatten": nn.Sequential(nn.Flatten(), nn.Linear(4, 5, bias=False), nn.ELU(), nn.Linear(5, 2),
                             nn.Softplus()),
    "double": nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(), nn.Linear(3, 2)).double(),
}

torch.manual_seed(0)
FOLDER.mkdir(exist_ok=True)
for name, model in MODELS.items():
    model.eval()
    rows = torch.randn(20, 4).to(next(model.parameters()).dtype)
    file = io.BytesIO()
    torch.onnx.export(model, (rows,), file, dynamo=False)
    (FOLDER / f"{name}.onnx").write_bytes(file.getvalue())
    answers = {"torch": torch.__version__, "inputs": rows.tolist(), "outputs": model(rows).detach().tolist()}
    (FOLDER / f"{name}.json").write_text(json.dumps(answers) + "\n")
