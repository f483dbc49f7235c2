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


def start_recipe(mlpd, recipe, **body):
    answer = mlpd.post(f"/v1/recipes/{recipe}", body)
    assert answer.status == 201, answer
    mlpd.wait_job(answer.json["job"]["id"])
    return answer.json["network"]["name"]


def test_the_exploding_recipe_is_the_golden_run_and_its_remedies_cure_it(mlpd):
    assert start_recipe(mlpd, "exploding") == "exploding"
    history = mlpd.get("/v1/networks/exploding/history").json
    loss = dict(zip(history["step"], history["loss"]))
    for step, expected in EXPLODING["loss_at"].items():
        if int(step) <= 80:
            assert abs(loss[int(step)] - expected) <= 1e-9, step
    ill = diagnosis(mlpd, "exploding")
    assert ill["verdict"] == "diverged"
    assert len(ill["remedies"]) == 4
    for remedy in ill["remedies"]:
        request = remedy["request"]
        answer = mlpd.request(request["method"], request["path"], request["body"])
        assert answer.status == 201, (remedy, answer)
        cured = answer.json["name"]
        mlpd.train(cured, steps=1940)
        well = diagnosis(mlpd, cured)
        assert well["verdict"] == "healthy", (remedy["title"], well)
        assert well["evidence"]["loss"] < EXPLODING["minimum_before"]["loss"], remedy["title"]


def test_the_four_remedy_recipes_end_healthy(mlpd):
    start_recipe(mlpd, "exploding")
    for recipe in ("lower-rate", "decaying-rate", "stronger-l2", "stronger-l1"):
        name = start_recipe(mlpd, recipe, parent="exploding")
        network = mlpd.get(f"/v1/networks/{name}").json
        assert network["forked_from"] == {"network": "exploding", "step": 60}
        well = diagnosis(mlpd, name)
        assert well["verdict"] == "healthy", (recipe, well)
        assert well["evidence"]["loss"] < EXPLODING["minimum_before"]["loss"], recipe
    alone = start_recipe(mlpd, "lower-rate", steps=10)
    assert mlpd.get(f"/v1/networks/{alone}").json["forked_from"]["step"] == 60


def test_the_vanishing_recipe_and_its_remedy(mlpd):
    name = start_recipe(mlpd, "vanishing", steps=500)
    ill = diagnosis(mlpd, name)
    assert (ill["verdict"], ill["since_step"], ill["layer"]) == ("vanishing", 0, 0)
    request = ill["remedies"][0]["request"]
    answer = mlpd.request(request["method"], request["path"], request["body"])
    assert answer.status == 201, answer
    mlpd.train(answer.json["name"], data=DATA, steps=1000)
    well = diagnosis(mlpd, answer.json["name"])
    assert well["verdict"] == "healthy" and well["evidence"]["loss"] < ill["evidence"]["loss"] / 2


def test_no_false_alarm_over_20_seeds(mlpd):
    for recipe in ("xor-3", "xor-50"):
        for seed in range(20):
            name = start_recipe(mlpd, recipe, seed=seed)
            for step in (0, 20, 200, 1000, None):
                found = diagnosis(mlpd, name, step)
                assert found["verdict"] == "healthy", (recipe, seed, step, found["summary"])
