"""The peers for small predictions: 2-16-16-1 in NumPy and in PyTorch behind FastAPI, as its tutorial would
write them. Each is an application of its own: fastapi_app:numpy and fastapi_app:torch."""

from fastapi import FastAPI
from pydantic import BaseModel

WIDTHS = (2, 16, 16, 1)


class Rows(BaseModel):
    inputs: list[list[float]]


def numpy():
    import numpy as np

    random, app = np.random.default_rng(0), FastAPI()
    layers = [(random.normal(size=(a, b)).astype(np.float32), np.zeros(b, np.float32))
              for a, b in zip(WIDTHS, WIDTHS[1:])]

    @app.post("/predict")
    async def predict(rows: Rows):
        h = np.array(rows.inputs, np.float32)
        for w, b in layers:
            h = np.tanh(h @ w + b)
        return {"outputs": h.tolist()}

    return app


def torch():
    import torch

    torch.set_num_threads(1)
    layers = [layer for a, b in zip(WIDTHS, WIDTHS[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.Tanh())]
    model, app = torch.nn.Sequential(*layers).eval(), FastAPI()

    @app.post("/predict")
    async def predict(rows: Rows):
        with torch.inference_mode():
            return {"outputs": model(torch.tensor(rows.inputs)).tolist()}

    return app
