"""One other library in a process of its own, asked over its standard input.

    bench/peers.py torch|torch_two_threads|sklearn_partial_fit|sklearn_fit|numpy|onnxruntime

Each line is {"case": {"widths": …, "hidden": …, "rows": …}, "seconds": s}; the answer is the processor time
(torch_two_threads: the clock's) of one training step (of a one-row forward pass for onnxruntime) in seconds,
measured for at least s. The
work is that of kernels_benchmark.cpp: full batch, plain SGD 0.01, softmax + cross entropy (one sigmoid
output: binary cross entropy), float32 but for numpy, which is the article's float64 script.
"""

import json
import sys
import time
import warnings

import numpy as np


def data(case, dtype=np.float32):
    random = np.random.default_rng(1)
    inputs = random.normal(size=(case["rows"], case["widths"][0])).astype(dtype)
    classes = np.arange(case["rows"]) % max(2, case["widths"][-1])
    return inputs, classes


def torch_two_threads_step(case):
    return torch_step(case, threads=2)


def torch_step(case, threads=1):
    import torch

    torch.set_num_threads(threads)
    widths, layers = case["widths"], []
    for i in range(1, len(widths)):
        layers.append(torch.nn.Linear(widths[i - 1], widths[i]))
        if i + 1 < len(widths):
            layers.append(torch.nn.Sigmoid() if case["hidden"] == "sigmoid" else torch.nn.ReLU())
    model = torch.nn.Sequential(*layers)
    inputs, classes = data(case)
    x = torch.from_numpy(inputs)
    if widths[-1] == 1:
        loss, y = torch.nn.BCEWithLogitsLoss(), torch.from_numpy(classes.astype(np.float32))[:, None]
    else:
        loss, y = torch.nn.CrossEntropyLoss(), torch.from_numpy(classes)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()

    return step, 1


def classifier(case, **more):
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(hidden_layer_sizes=case["widths"][1:-1], solver="sgd", momentum=0, alpha=0,
                         activation={"sigmoid": "logistic", "relu": "relu"}[case["hidden"]],
                         learning_rate_init=0.01, batch_size=case["rows"], **more)


def sklearn_partial_fit_step(case):
    inputs, classes = data(case)
    model, labels = classifier(case), np.unique(classes)
    return lambda: model.partial_fit(inputs, classes, classes=labels), 1


def sklearn_fit_step(case):
    inputs, classes = data(case)
    weights = sum(a * b for a, b in zip(case["widths"], case["widths"][1:]))
    steps = 200 if weights < 1e5 else 10
    model = classifier(case, max_iter=steps, tol=0, n_iter_no_change=steps)
    return lambda: model.fit(inputs, classes), steps


def numpy_step(case):
    inputs, classes = data(case, np.float64)
    widths, n = case["widths"], case["rows"]
    random = np.random.default_rng(0)
    weights = [random.normal(size=(a, b)) / np.sqrt(a) for a, b in zip(widths, widths[1:])]
    biases = [np.zeros((1, b)) for b in widths[1:]]
    targets = np.eye(2)[classes][:, 1:] if widths[-1] == 1 else np.eye(widths[-1])[classes]

    def step():
        outputs = [inputs]
        for i, (w, b) in enumerate(zip(weights, biases)):
            z = outputs[-1].dot(w) + b
            if i + 1 < len(weights):
                outputs.append(1 / (1 + np.exp(-z)) if case["hidden"] == "sigmoid" else np.maximum(z, 0))
            elif widths[-1] == 1:
                outputs.append(1 / (1 + np.exp(-z)))
            else:
                e = np.exp(z)
                outputs.append(e / np.sum(e, axis=1, keepdims=True))
        delta = (outputs[-1] - targets) / n
        for i in reversed(range(len(weights))):
            h = outputs[i]
            dw, db = h.T.dot(delta), np.sum(delta, axis=0, keepdims=True)
            if i:
                delta = delta.dot(weights[i].T) * (h * (1 - h) if case["hidden"] == "sigmoid" else h > 0)
            weights[i] -= 0.01 * dw
            biases[i] -= 0.01 * db

    return step, 1


def onnxruntime_step(case):
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    random, widths = np.random.default_rng(0), case["widths"]
    nodes, numbers, last = [], [], "inputs"
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        numbers.append(numpy_helper.from_array(random.normal(size=(a, b)).astype(np.float32), f"w{i}"))
        numbers.append(numpy_helper.from_array(np.zeros(b, np.float32), f"b{i}"))
        nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"z{i}"]))
        kind = "Softmax" if i + 2 == len(widths) else {"sigmoid": "Sigmoid", "relu": "Relu"}[case["hidden"]]
        last = f"h{i}"
        nodes.append(helper.make_node(kind, [f"z{i}"], [last]))
    shape = lambda name, n: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, n])  # noqa: E731
    graph = helper.make_graph(nodes, "mlp", [shape("inputs", widths[0])], [shape(last, widths[-1])], numbers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    row = {"inputs": np.full((1, widths[0]), 0.5, np.float32)}
    return lambda: session.run(None, row), 1


def measure(call, steps, seconds, now):
    count = 1
    while True:
        start = now()
        for _ in range(count):
            call()
        spent = now() - start
        if spent >= seconds:
            return spent / count / steps
        count = max(count + 1, int(count * min(10, 1.2 * seconds / max(spent, 1e-4))))


def main():
    warnings.filterwarnings("ignore")
    make, ready = globals()[sys.argv[1] + "_step"], {}
    now = time.perf_counter if sys.argv[1] == "torch_two_threads" else time.process_time
    for line in sys.stdin:
        asked = json.loads(line)
        key = json.dumps(asked["case"])
        if key not in ready:
            ready.clear()
            ready[key] = make(asked["case"])
            ready[key][0]()  # the first call allocates
        print(measure(*ready[key], asked["seconds"], now), flush=True)


if __name__ == "__main__":
    main()
