"""Models as ONNX: random networks answer in ONNX Runtime as in mlpd; PyTorch's and scikit-learn's come in."""

import json
import pathlib
import random

import numpy as np
import onnx
import onnxruntime
import pytest

ACTIVATIONS = ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus"]
ROWS = 1000
TORCH = pathlib.Path(__file__).parent / "torch"  # made by make_torch_models.py


def session(model):
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def random_layers(chance, inputs, dtype, depth=0):
    layers = []
    width = inputs
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(["dense", "dense", "dense", "dropout", "layer_norm", "batch_norm", "residual"])
        if kind == "dense":
            width = chance.randint(1, 12)
            names = [a for a in ACTIVATIONS if not (a == "gelu" and dtype == "float64")]
            layers.append({"type": "dense", "units": width, "activation": chance.choice(names),
                           "bias": chance.random() < 0.8})
        elif kind == "dropout":
            layers.append({"type": "dropout", "rate": 0.3})
        elif kind == "residual" and depth == 0:
            inner = random_layers(chance, width, dtype, depth=1)
            inner.append({"type": "dense", "units": width, "activation": "tanh"})
            layers.append({"type": "residual", "layers": inner})
        elif kind in ("layer_norm", "batch_norm") and width > 1:
            layers.append({"type": kind})
    return layers


def random_network(seed):
    chance = random.Random(seed)
    dtype = chance.choice(["float32", "float64"])
    inputs = chance.randint(1, 8)
    outputs = chance.randint(1, 5)
    last = chance.choice(["linear", "sigmoid"] + (["softmax"] if outputs > 1 else []))
    layers = random_layers(chance, inputs, dtype)
    layers.append({"type": "dense", "units": outputs, "activation": last})
    return {"name": f"n{seed}", "inputs": inputs, "layers": layers, "dtype": dtype, "seed": seed,
            "gradient_clip": {"norm": 1.0}}


def train_a_little(mlpd, spec):
    """Moves every number, running statistics too, away from its start."""
    chance = np.random.default_rng(spec["seed"])
    rows = chance.normal(size=(16, spec["inputs"]))
    outputs = spec["layers"][-1]["units"]
    if spec["layers"][-1]["activation"] == "softmax":
        targets = np.eye(outputs)[chance.integers(outputs, size=16)]
    else:
        targets = chance.integers(0, 2, size=(16, outputs)).astype(float)
    body = {"data": {"inputs": rows.tolist(), "targets": targets.tolist()}, "steps": 5}
    job = mlpd.post(f"/v1/networks/{spec['name']}/train", body).json
    assert job["state"] == "succeeded", job


@pytest.mark.parametrize("block", range(10))
def test_exported_networks_answer_as_mlpd(mlpd, block):
    for seed in range(20 * block, 20 * block + 20):
        spec = random_network(seed)
        assert mlpd.post("/v1/networks", spec).status == 201, spec
        train_a_little(mlpd, spec)
        exported = mlpd.get(f"/v1/networks/{spec['name']}/model?format=onnx")
        assert exported.status == 200, exported
        rows = np.random.default_rng(seed + 1).normal(size=(ROWS, spec["inputs"])).astype(spec["dtype"])
        answer = mlpd.post(f"/v1/networks/{spec['name']}/predict", {"inputs": rows.tolist()}).json
        ours = np.array(answer["outputs"], dtype=np.float64)
        theirs = session(exported.body).run(None, {"inputs": rows})[0]
        tolerance = 1e-5 if spec["dtype"] == "float32" else 1e-12
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, err_msg=json.dumps(spec))


def test_double_gelu_is_refused_by_name(mlpd):
    spec = {"name": "g", "inputs": 2, "dtype": "float64",
            "layers": [{"units": 3, "activation": "gelu"}, {"units": 1}]}
    assert mlpd.post("/v1/networks", spec).status == 201
    refused = mlpd.get("/v1/networks/g/model?format=onnx")
    assert refused.status >= 400 and refused.status < 500
    assert "gelu" in refused.json["detail"]


def put_onnx(mlpd, name, model):
    return mlpd.request("PUT", f"/v1/networks/{name}/model", model, {"Content-Type": "application/x-onnx"})


def same_predictions(mlpd, name, rows, expected, tolerance=1e-5):
    answer = mlpd.post(f"/v1/networks/{name}/predict", {"inputs": rows.tolist()}).json
    np.testing.assert_allclose(np.array(answer["outputs"]), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("model", sorted(TORCH.glob("*.onnx")), ids=lambda path: path.stem)
def test_pytorch_models_come_in(mlpd, model):
    answers = json.loads(model.with_suffix(".json").read_text())
    assert put_onnx(mlpd, "torch", model.read_bytes()).status == 201
    same_predictions(mlpd, "torch", np.array(answers["inputs"]), answers["outputs"])


def test_scikit_learn_models_come_in(mlpd):
    from skl2onnx import to_onnx
    from sklearn.datasets import load_iris
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    rows, classes = load_iris(return_X_y=True)
    rows = rows.astype(np.float32)
    three = MLPClassifier(hidden_layer_sizes=(7,), max_iter=50).fit(rows, classes)
    two = MLPClassifier(hidden_layer_sizes=(5, 4), activation="tanh", max_iter=50).fit(rows, classes > 0)
    number = MLPRegressor(hidden_layer_sizes=(6,), activation="logistic", max_iter=50).fit(rows, rows[:, 0])
    for name, model, expected in [
        ("three", three, three.predict_proba(rows)),
        ("two", two, two.predict_proba(rows)[:, 1:]),
        ("number", number, number.predict(rows)[:, None]),
    ]:
        exported = to_onnx(model, rows[:1], options={"zipmap": False} if name != "number" else None)
        answer = put_onnx(mlpd, name, exported.SerializeToString())
        assert answer.status == 201, answer
        same_predictions(mlpd, name, rows, expected, 1e-4)


def test_another_graph_is_refused_with_its_node(mlpd):
    helper = onnx.helper
    value = helper.make_tensor_value_info
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="convolution")
    weight = helper.make_tensor("w", onnx.TensorProto.FLOAT, [1, 1, 1, 1], [1.0])
    graph = helper.make_graph([node], "g", [value("x", onnx.TensorProto.FLOAT, [1, 1, 4, 4])],
                              [value("y", onnx.TensorProto.FLOAT, [1, 1, 4, 4])], [weight])
    refused = put_onnx(mlpd, "conv", helper.make_model(graph).SerializeToString())
    assert refused.status == 422
    assert "convolution (Conv)" in refused.json["detail"]
    nonsense = put_onnx(mlpd, "nonsense", b"\x00\x01\x02")
    assert nonsense.status in (400, 422)
