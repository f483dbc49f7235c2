"""The doctor: exploding.json is warned of in time, located, and cured by the remedies that it hands out."""

from mlpd_process import golden

EXPLODING = golden("exploding.json")
POINTS = golden("xor_300.json")
DATA = {"inputs": POINTS["inputs"], "targets": [[1 - c, c] for c in POINTS["classes"]]}


def exploding_network(mlpd, name="boom", **changes):
    w1, w2 = EXPLODING["W1"], EXPLODING["W2"]
    mlpd.create(name, **{
        "inputs": 2, "dtype": "float64", "loss": "half_squared_error",
        "optimizer": {"type": "sgd", "learning_rate": EXPLODING["learning_rate"]},
        "layers": [{"units": len(w2), "activation": "tanh", "weights": w1},
                   {"units": 2, "activation": "linear", "weights": w2}], **changes})


def diagnosis(mlpd, name, step=None):
    answer = mlpd.get(f"/v1/networks/{name}/diagnosis" + ("" if step is None else f"?step={step}"))
    assert answer.status == 200, answer
    return answer.json


def test_the_burst_is_seen_coming(mlpd):
    exploding_network(mlpd)
    job = mlpd.train("boom", data=DATA, steps=300)
    assert job["stop_reason"] == "diverged" and job["step"] < 300
    history = mlpd.get("/v1/networks/boom/history").json
    loss = dict(zip(history["step"], history["loss"]))
    over_10 = min(step for step in loss if loss[step] is not None and loss[step] > 10)
    assert abs(over_10 - EXPLODING["first_step_with_loss_over_10"]) <= 2

    passes_2 = EXPLODING["first_step_where_rate_times_largest_curvature_of_the_output_layer_passes_2"]
    for step in (10, 40, passes_2 - 5):
        assert diagnosis(mlpd, "boom", step)["verdict"] == "healthy", step
    warned = diagnosis(mlpd, "boom", over_10 - 10)
    assert (warned["verdict"], warned["layer"]) == ("warning", 1)
    assert abs(warned["since_step"] - passes_2) <= 1
    assert warned["evidence"]["rate_times_curvature"] > warned["evidence"]["stability_limit"] == 2
    burst = diagnosis(mlpd, "boom", over_10)
    assert (burst["verdict"], burst["layer"]) == ("exploding", 1)
    assert EXPLODING["minimum_before"]["step"] < burst["since_step"] <= over_10
    end = diagnosis(mlpd, "boom")
    assert (end["verdict"], end["layer"], end["step"]) == ("diverged", 1, job["step"])
    assert end["since_step"] == burst["since_step"]
