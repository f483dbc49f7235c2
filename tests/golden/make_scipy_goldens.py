"""Writes scipy_goldens.json: where scipy.optimize ends on small problems with a penalty.

Run it with any Python that has SciPy: `python3 make_scipy_goldens.py > scipy_goldens.json`. A case is a
network in the words of POST /v1/networks with its start numbers, its rows, and the smallest loss (penalty
included, as trace answers it) that SciPy's BFGS found from there. Without a hidden layer the problem is
convex and the optimum is the only one.
"""

import json

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

RANDOM = np.random.default_rng(7)
ROWS, L2 = 40, 1.0
X = RANDOM.normal(size=(ROWS, 3))
SCORES = X @ np.array([[1.0, -1.0, 0.5], [0.5, 1.0, -1.0], [-1.0, 0.3, 1.0]]) + RANDOM.normal(size=(ROWS, 3))
CLASS = SCORES.argmax(axis=1)
TARGETS = {
    "cross_entropy": np.eye(3)[CLASS],
    "binary_cross_entropy": (SCORES[:, :1] > 0).astype(float),
    "mean_squared_error": np.sin(SCORES[:, :2]),
}
LAST = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "mean_squared_error": "linear"}


def data_loss(loss, z, y):
    """The loss at the last z, and its gradient there."""
    if loss == "cross_entropy":
        return -(y * log_softmax(z, axis=1)).sum() / len(y), (softmax(z, axis=1) - y) / len(y)
    if loss == "binary_cross_entropy":
        return (np.logaddexp(0, z) - y * z).mean(), (expit(z) - y) / y.size
    return ((z - y) ** 2).mean(), 2 * (z - y) / y.size


def case(loss, hidden):
    y = TARGETS[loss]
    shapes, width = [], X.shape[1]
    for units in [*hidden, y.shape[1]]:
        shapes += [(width, units), (1, units)]
        width = units
    start = [RANDOM.normal(size=shape) / np.sqrt(shape[0]) if i % 2 == 0 else np.zeros(shape)
             for i, shape in enumerate(shapes)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]

    def objective(flat):
        numbers = [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes)]
        weights, biases = numbers[::2], numbers[1::2]
        inputs, h = [], X
        for w, b in zip(weights[:-1], biases[:-1]):
            inputs.append(h)
            h = np.tanh(h @ w + b)
        inputs.append(h)
        value, dz = data_loss(loss, h @ weights[-1] + biases[-1], y)
        gradient = []
        for i in reversed(range(len(weights))):
            gradient = [inputs[i].T @ dz + L2 / ROWS * weights[i], dz.sum(axis=0, keepdims=True), *gradient]
            dz = (dz @ weights[i].T) * (1 - inputs[i] ** 2)
        penalty = L2 / (2 * ROWS) * sum((w ** 2).sum() for w in weights)
        return value + penalty, np.concatenate([part.ravel() for part in gradient])

    flat = np.concatenate([part.ravel() for part in start])
    found = minimize(objective, flat, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 100_000})
    assert np.abs(found.jac).max() < 1e-7, found
    layers = [{"units": w.shape[1], "activation": "tanh", "weights": w.tolist(), "bias": b[0].tolist()}
              for w, b in zip(start[::2], start[1::2])]
    layers[-1]["activation"] = LAST[loss]
    return {"network": {"inputs": X.shape[1], "layers": layers, "loss": loss, "dtype": "float64",
                        "regularization": {"l2": L2}},
            "data": {"inputs": X.tolist(), "targets": y.tolist()}, "convex": not hidden, "optimum": found.fun}


if __name__ == "__main__":
    print(json.dumps({f"{loss}{' hidden' if hidden else ''}": case(loss, hidden)
                      for loss in TARGETS for hidden in ([], [4])}, indent=1))
