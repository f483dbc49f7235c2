"""Writes torch_goldens.json: 50 steps of float64 training in PyTorch from given numbers, case by case.

Every optimizer, schedule, loss, activation, brick and penalty of mlpd appears in at least one case. Run it with
any Python that has torch (CPU): `python3 make_torch_goldens.py > torch_goldens.json`. Each case is a network in the
words of POST /v1/networks, its start numbers in mlpd's order (per brick weights inputs x units, then bias), and what
PyTorch made of it: the loss before each update, and the numbers after the last.
"""

import json
import math

import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

ROWS, INPUTS, STEPS = 12, 3, 50
X = torch.randn(ROWS, INPUTS)
CLASSES = torch.randint(0, 3, (ROWS,))
TARGETS = {
    "one_hot": F.one_hot(CLASSES, 3).double(),
    "numbers": torch.randn(ROWS, 2),
    "bits": torch.randint(0, 2, (ROWS, 2)).double(),
    "bit": torch.randint(0, 2, (ROWS, 1)).double(),
}
ACTIVATIONS = {
    "linear": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01), "elu": F.elu, "gelu": F.gelu, "silu": F.silu,
    "softplus": F.softplus, "softmax": lambda z: F.softmax(z, dim=1),
}


def dense(units, activation, bias=True):
    return {"type": "dense", "units": units, "activation": activation, "bias": bias}


def parameters_of(layers, width):
    """Start numbers, spec order, as leaf tensors, and the output width."""
    found = []
    for layer in layers:
        if layer["type"] == "dense":
            layer["_w"] = (torch.randn(width, layer["units"]) / math.sqrt(width)).requires_grad_()
            found.append(layer["_w"])
            width = layer["units"]
            if layer["bias"]:
                layer["_b"] = (0.1 * torch.randn(1, width)).requires_grad_()
                found.append(layer["_b"])
        elif layer["type"] in ("layer_norm", "batch_norm"):
            layer["_w"] = torch.ones(1, width).requires_grad_()
            layer["_b"] = torch.zeros(1, width).requires_grad_()
            layer["_running"] = [torch.zeros(width), torch.ones(width)]
            found += [layer["_w"], layer["_b"]]
        elif layer["type"] == "residual":
            found += parameters_of(layer["layers"], width)[0]
    return found, width


def forward(layers, x, training=True):
    """Outputs, and the last pre-activation."""
    z = None
    for layer in layers:
        kind = layer["type"]
        if kind == "dense":
            z = x @ layer["_w"]
            if layer["bias"]:
                z = z + layer["_b"]
            x = ACTIVATIONS[layer["activation"]](z)
        elif kind == "layer_norm":
            x = F.layer_norm(x, x.shape[1:], layer["_w"][0], layer["_b"][0], layer.get("epsilon", 1e-5))
        elif kind == "batch_norm":
            mean, variance = layer["_running"]
            x = F.batch_norm(x, mean, variance, layer["_w"][0], layer["_b"][0], training,
                             layer.get("momentum", 0.1), layer.get("epsilon", 1e-5))
        elif kind == "residual":
            x = x + forward(layer["layers"], x, training)[0]
        elif kind == "dropout":
            assert layer["rate"] == 0  # masks are mlpd's own; the gradient check covers other rates
    return x, z


def penalized(layers):
    for layer in layers:
        if layer["type"] == "dense":
            yield layer["_w"]
        elif layer["type"] == "residual":
            yield from penalized(layer["layers"])


def data_loss(case, h, z, y, rows):
    kind = case["loss"]
    weights = case.get("class_weights")
    smoothing = case.get("label_smoothing", 0.0)
    fused = case["layers"][-1]["activation"]
    if kind == "cross_entropy" and fused == "softmax":
        weight = None if weights is None else torch.tensor(weights)
        return F.cross_entropy(z, y.argmax(dim=1), weight=weight, label_smoothing=smoothing)
    if kind == "cross_entropy":
        return -(y * torch.log(h)).sum() / rows
    if kind == "binary_cross_entropy" and weights is not None:
        row = (1 - y[:, 0]) * weights[0] + y[:, 0] * weights[1]
        return (row * F.binary_cross_entropy(h, y, reduction="none")[:, 0]).sum() / row.sum()
    if kind == "binary_cross_entropy":
        return F.binary_cross_entropy(h, y)
    if kind == "half_squared_error":
        return ((y - h) ** 2).sum() / (2 * rows)
    return {"mean_squared_error": F.mse_loss, "mean_absolute_error": F.l1_loss,
            "huber": F.huber_loss}[kind](h, y)


def make_optimizer(options, parameters):
    kind, rate = options["type"], options["learning_rate"]
    betas, epsilon = options.get("betas", (0.9, 0.999)), options.get("epsilon", 1e-8)
    if kind == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=options.get("momentum", 0),
                               nesterov=options.get("nesterov", False))
    if kind == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=options.get("decay", 0.99), eps=epsilon)
    if kind == "adagrad":
        return torch.optim.Adagrad(parameters, lr=rate, eps=options.get("epsilon", 1e-10))
    if kind == "adam":
        return torch.optim.Adam(parameters, lr=rate, betas=betas, eps=epsilon)
    return torch.optim.AdamW(parameters, lr=rate, betas=betas, eps=epsilon,
                             weight_decay=options.get("weight_decay", 0.01))


def make_scheduler(schedule, optimizer):
    kind, S = schedule["type"], torch.optim.lr_scheduler
    if kind == "step":
        return S.StepLR(optimizer, schedule["every"], schedule["factor"])
    if kind == "exponential":
        return S.ExponentialLR(optimizer, schedule["factor"])
    if kind == "inverse_time":
        return S.LambdaLR(optimizer, lambda s: 1 / (1 + schedule["decay"] * s))
    if kind == "cosine":
        steps, minimum, base = schedule["steps"], schedule["minimum"], optimizer.param_groups[0]["lr"]
        return S.LambdaLR(optimizer, lambda s: (minimum + (base - minimum) *
                                                (1 + math.cos(math.pi * min(s, steps) / steps)) / 2) / base)
    if kind == "one_cycle":
        return S.OneCycleLR(optimizer, schedule["maximum"], total_steps=schedule["steps"], cycle_momentum=False)
    if kind == "warmup":
        steps, factor = schedule["steps"], schedule["then"]["factor"]
        return S.LambdaLR(optimizer, lambda s: s / steps if s < steps else factor ** (s - steps))
    if kind == "plateau":
        return S.ReduceLROnPlateau(optimizer, factor=schedule["factor"], patience=schedule["patience"] - 1,
                                   threshold=0, threshold_mode="abs")
    return S.LambdaLR(optimizer, lambda s: 1.0)


def flat(tensors):
    return [float(v) for t in tensors for v in t.detach().reshape(-1)]


def without_tensors(layer):
    kept = {k: v for k, v in layer.items() if not k.startswith("_")}
    if "layers" in kept:
        kept["layers"] = [without_tensors(inner) for inner in kept["layers"]]
    return kept


def running_of(layers):
    found = []
    for layer in layers:
        if layer["type"] == "batch_norm":
            found += flat(layer["_running"])
        elif layer["type"] == "residual":
            found += running_of(layer["layers"])
    return found


def run(name, **case):
    case.setdefault("optimizer", {"type": "sgd", "learning_rate": 0.1})
    case.setdefault("schedule", {"type": "constant"})
    case.setdefault("loss", "cross_entropy")
    case.setdefault("targets", "one_hot")
    case.setdefault("batch_size", 0)
    layers = case["layers"]
    parameters, _ = parameters_of(layers, INPUTS)
    start = flat(parameters)
    optimizer = make_optimizer(case["optimizer"], parameters)
    scheduler = make_scheduler(case["schedule"], optimizer)
    plateau = case["schedule"]["type"] == "plateau"
    l1, l2 = (case.get("regularization", {}).get(k, 0) for k in ("l1", "l2"))
    clip = case.get("gradient_clip", {})
    average = [p.detach().clone() for p in parameters]
    size = case["batch_size"] or ROWS
    losses, row = [], 0
    for _ in range(STEPS):
        x, y = X[row:row + size], TARGETS[case["targets"]][row:row + size]
        n = len(x)
        row = row + n if row + n < ROWS else 0
        h, z = forward(layers, x)
        loss = data_loss(case, h, z, y, n)
        if l1 or l2:
            loss = loss + sum(l2 / (2 * n) * (w ** 2).sum() + l1 / n * w.abs().sum() for w in penalized(layers))
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        if plateau:
            scheduler.step(losses[-1])
        if "value" in clip:
            torch.nn.utils.clip_grad_value_(parameters, clip["value"])
        if "norm" in clip:
            norm = math.sqrt(sum(float((p.grad ** 2).sum()) for p in parameters))
            if norm > clip["norm"]:
                for p in parameters:
                    p.grad *= clip["norm"] / norm
        optimizer.step()
        if not plateau:
            scheduler.step()
        for a, p in zip(average, parameters):
            a += (1 - case.get("ema", 0)) * (p.detach() - a)
    case["name"], case["start"], case["losses"], case["end"] = name, start, losses, flat(parameters)
    case["running"] = running_of(layers)
    case["layers"] = [without_tensors(layer) for layer in layers]
    if "ema" in case:
        case["average"] = flat(average)
    return case


def plain():
    return [dense(4, "tanh"), dense(3, "softmax")]


def cases():
    adam = {"type": "adam", "learning_rate": 0.02}
    for options in (
        {"type": "sgd", "learning_rate": 0.1},
        {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
        {"type": "rmsprop", "learning_rate": 0.02},
        {"type": "rmsprop", "learning_rate": 0.02, "decay": 0.8, "epsilon": 1e-3},
        {"type": "adagrad", "learning_rate": 0.02},
        adam,
        {"type": "adam", "learning_rate": 0.02, "betas": [0.8, 0.95], "epsilon": 1e-4},
        {"type": "adamw", "learning_rate": 0.02},
        {"type": "adamw", "learning_rate": 0.02, "weight_decay": 0.1},
    ):
        yield run("optimizer " + json.dumps(options), layers=plain(), optimizer=options)
    for schedule in (
        {"type": "step", "every": 7, "factor": 0.7},
        {"type": "exponential", "factor": 0.95},
        {"type": "inverse_time", "decay": 0.1},
        {"type": "cosine", "steps": 40, "minimum": 0.01},
        {"type": "one_cycle", "steps": 60, "maximum": 0.5},
        {"type": "warmup", "steps": 10, "then": {"type": "exponential", "factor": 0.9}},
        {"type": "plateau", "factor": 0.5, "patience": 3},
    ):
        rate = 3.0 if schedule["type"] == "plateau" else 0.2
        yield run("schedule " + schedule["type"], layers=plain(), schedule=schedule,
                  optimizer={"type": "sgd", "learning_rate": rate})
    for activation in ACTIVATIONS:
        if activation != "softmax":
            yield run("activation " + activation, layers=[dense(4, activation), dense(3, "softmax")])
            yield run("last activation " + activation, layers=[dense(4, "tanh"), dense(2, activation)],
                      loss="mean_squared_error", targets="numbers")
    for last in ("linear", "sigmoid", "softmax"):
        for loss in ("half_squared_error", "mean_squared_error", "mean_absolute_error", "huber"):
            yield run(f"loss {loss} after {last}", layers=[dense(4, "tanh"), dense(2, last)], loss=loss,
                      targets="numbers", optimizer=adam)
    yield run("loss cross_entropy after sigmoid", layers=[dense(4, "tanh"), dense(3, "sigmoid")])
    yield run("loss binary_cross_entropy, one output", layers=[dense(4, "tanh"), dense(1, "sigmoid")],
              loss="binary_cross_entropy", targets="bit")
    yield run("loss binary_cross_entropy, two outputs", layers=[dense(4, "tanh"), dense(2, "sigmoid")],
              loss="binary_cross_entropy", targets="bits")
    yield run("loss binary_cross_entropy after softmax", layers=[dense(4, "tanh"), dense(3, "softmax")],
              loss="binary_cross_entropy", targets="one_hot")
    yield run("label smoothing", layers=plain(), label_smoothing=0.1)
    yield run("class weights", layers=plain(), class_weights=[0.5, 2.0, 1.25])
    yield run("class weights, short batches", layers=plain(), class_weights=[0.5, 2.0, 1.25], batch_size=5)
    yield run("class weights with label smoothing", layers=plain(), class_weights=[0.5, 2.0, 1.25],
              label_smoothing=0.2, batch_size=5)
    yield run("class weights, one output", layers=[dense(4, "tanh"), dense(1, "sigmoid")],
              loss="binary_cross_entropy", targets="bit", class_weights=[1.0, 3.0])
    for penalty in ({"l2": 0.3}, {"l1": 0.05}, {"l1": 0.05, "l2": 0.3}):
        yield run("penalty " + json.dumps(penalty), layers=plain(), regularization=penalty, batch_size=5)
    for clip in ({"norm": 0.05}, {"value": 0.02}, {"norm": 0.05, "value": 0.02}):
        yield run("clip " + json.dumps(clip), layers=plain(), gradient_clip=clip,
                  optimizer={"type": "sgd", "learning_rate": 0.5})
    yield run("average", layers=plain(), ema=0.9, optimizer=adam)
    yield run("no bias", layers=[dense(4, "tanh", bias=False), dense(3, "softmax", bias=False)])
    yield run("no hidden layer", layers=[dense(3, "softmax")])
    yield run("three hidden layers", layers=[dense(5, "relu"), dense(4, "gelu"), dense(4, "silu"), dense(3, "softmax")],
              optimizer=adam)
    norms = {"layer_norm": {"epsilon": 1e-3}, "batch_norm": {"momentum": 0.3, "epsilon": 1e-3}}
    for norm, options in norms.items():
        yield run(norm, layers=[dense(4, "tanh"), {"type": norm}, dense(3, "softmax")], optimizer=adam)
        yield run(norm + " first, with options, in batches", layers=[{"type": norm, **options}, dense(4, "relu"),
                                                                  {"type": norm}, dense(3, "softmax")],
                  batch_size=5, optimizer=adam, regularization={"l2": 0.1})
    yield run("dropout that drops nothing", layers=[dense(4, "tanh"), {"type": "dropout", "rate": 0},
                                                    dense(3, "softmax")])
    yield run("residual", layers=[dense(4, "tanh"), {"type": "residual", "layers": [dense(5, "relu"), dense(4, "tanh")]},
                                  dense(3, "softmax")], optimizer=adam)
    yield run("residual, nested and first, with norms",
              layers=[{"type": "residual", "layers": [{"type": "layer_norm"}, dense(4, "gelu"),
                                                      {"type": "residual", "layers": [{"type": "batch_norm"},
                                                                                      dense(4, "elu")]},
                                                      dense(3, "linear")]}, dense(3, "softmax")],
              optimizer=adam, regularization={"l1": 0.02, "l2": 0.1})


if __name__ == "__main__":
    document = {"torch": torch.__version__.split("+")[0], "steps": STEPS, "inputs": X.tolist(),
                "targets": {name: y.tolist() for name, y in TARGETS.items()}, "cases": list(cases())}
    print(json.dumps(document))
