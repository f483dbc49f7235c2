"""The article's own numbers: its worked training step and its trajectories, through HTTP in float64."""

import re

import pytest

from mlpd_process import golden

STEP = golden("article_step.json")
POINTS = golden("xor_300.json")

# the article's name → (layer, name in the trace)
NAMES = {
    "z1": (0, "z"), "h1": (0, "h"), "dh1_dz1": (0, "dh_dz"), "dLoss_dh1": (0, "dloss_dh"),
    "dLoss_dz1": (0, "dloss_dz"), "dLoss_dW1": (0, "dloss_dweights"), "W1_next": (0, "weights_next"),
    "z2": (1, "z"), "h2": (1, "h"), "dh2_dz2": (1, "dh_dz"), "dLoss_dh2": (1, "dloss_dh"),
    "dLoss_dz2": (1, "dloss_dz"), "dLoss_dW2": (1, "dloss_dweights"), "W2_next": (1, "weights_next"),
    "dz2_dW2": (1, "input"),
}


def sigmoid_network(mlpd, name, w1, w2, learning_rate, l2=0.0):
    mlpd.create(name, inputs=2, dtype="float64", loss="half_squared_error",
                optimizer={"type": "sgd", "learning_rate": learning_rate}, regularization={"l2": l2},
                layers=[{"units": len(w2), "activation": "sigmoid", "bias": False, "weights": w1},
                        {"units": 2, "activation": "sigmoid", "bias": False, "weights": w2}])


def flat(matrix):
    return [number for row in matrix for number in row]


def test_the_worked_step(mlpd):
    sigmoid_network(mlpd, "article", STEP["W1"], STEP["W2"], STEP["learning_rate"])
    data = {"inputs": STEP["X"], "targets": STEP["Y"]}
    digest = mlpd.digest("article")
    answer = mlpd.post("/v1/networks/article/trace", {"data": data})
    assert answer.status == 200, answer
    trace = answer.json
    assert trace["loss"] == pytest.approx(STEP["float64"]["loss"], rel=1e-14)
    seen = 0
    for table, tolerance in (("printed_in_article", {"abs": 2e-8}), ("float64", {"rel": 1e-14})):
        for name, expected in STEP[table].items():
            if name == "loss":
                continue
            layer, key = NAMES[name]
            traced = flat(trace["layers"][layer][key])
            assert traced == pytest.approx(flat(expected), **tolerance), (table, name)
            seen += 1
    assert seen == len(STEP["printed_in_article"]) + len(STEP["float64"]) - 1
    assert mlpd.digest("article") == digest, "a trace changes nothing"

    mlpd.train("article", data=data, steps=1)
    after = mlpd.post("/v1/networks/article/trace", {"data": data}).json["layers"]
    for name, layer in (("W1_next", 0), ("W2_next", 1)):
        assert after[layer]["weights"] == trace["layers"][layer]["weights_next"]
        assert flat(after[layer]["weights"]) == pytest.approx(flat(STEP["float64"][name]), rel=1e-14)


@pytest.mark.parametrize("run", golden("article_runs.json")["runs"],
                         ids=lambda run: f"{run['hidden']} units, l2 {run['l2']}")
def test_trajectories(mlpd, run):
    sigmoid_network(mlpd, "run", run["W1"], run["W2"], run["learning_rate"], run["l2"])
    rows = int(re.fullmatch(r"first (\d+) of xor_300", run["rows"]).group(1))
    targets = [[1 - c, c] for c in POINTS["classes"][:rows]]
    last = run["at"][-1]["step"]
    mlpd.train("run", data={"inputs": POINTS["inputs"][:rows], "targets": targets}, steps=last + 1)
    history = mlpd.get("/v1/networks/run/history").json
    for expected in run["at"]:
        i = history["step"].index(expected["step"])
        for column in ("loss", "data_loss", "penalty", "accuracy"):
            recorded = history[column][i]
            assert recorded == pytest.approx(expected[column], rel=1e-10, abs=1e-15), (column, expected)
