"""train(60) ≡ train(20) + train(40) ≡ exported, imported, continued ≡ killed in mid-job, restarted, finished.

Equal means: the same state_sha256."""

import pytest

from mlpd_process import golden, wait_until

POINTS = golden("xor_300.json")
DATA = {"inputs": POINTS["inputs"], "targets": POINTS["classes"]}
LAYERS = [{"units": 8}, {"units": 2}]
PLANS = {
    "full batch": {"data": DATA},
    "shuffled mini-batches, mid-epoch": {"data": DATA, "batch_size": 32, "shuffle": True},
}
SPECS = {
    "adam": {"seed": 3},
    "momentum, decaying rate, float64": {
        "seed": 4, "dtype": "float64",
        "optimizer": {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        "schedule": {"type": "exponential", "factor": 0.999}, "regularization": {"l2": 0.01}},
}


def straight(mlpd, name, spec, plan, steps=60):
    mlpd.create(name, inputs=2, layers=LAYERS, **spec)
    mlpd.train(name, steps=steps, **plan)
    return mlpd.digest(name)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_in_pieces_and_through_a_model_document(mlpd, spec, plan):
    whole = straight(mlpd, "whole", spec, plan)
    pieces = straight(mlpd, "pieces", spec, plan, steps=20)
    assert pieces != whole
    document = mlpd.get("/v1/networks/pieces/model").body
    mlpd.train("pieces", steps=40, **plan)
    assert mlpd.digest("pieces") == whole

    assert mlpd.put("/v1/networks/copy/model", document).status == 201
    assert mlpd.digest("copy") == pieces
    mlpd.train("copy", steps=40, **plan)
    assert mlpd.digest("copy") == whole


def test_on_the_data_used_before(mlpd):
    plan = {"data": DATA, "batch_size": 32, "shuffle": True}
    whole = straight(mlpd, "whole", {}, plan)
    straight(mlpd, "pieces", {}, plan, steps=20)
    mlpd.train("pieces", steps=40, batch_size=32, shuffle=True)
    assert mlpd.digest("pieces") == whole


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_cut_off_in_mid_job(mlpd, how):
    plan = {"data": DATA, "batch_size": 32, "shuffle": True, "steps": 400}
    mlpd.create("whole", inputs=2, layers=LAYERS)
    mlpd.train("whole", **plan)
    mlpd.create("cut", inputs=2, layers=LAYERS)
    job = mlpd.post("/v1/networks/cut/train", {**plan, "pace": {"steps_per_second": 100}},
                    headers={"Prefer": "respond-async"})
    assert job.status == 202, job
    assert job.headers["location"] == f"/v1/jobs/{job.json['id']}"
    path = f"/v1/jobs/{job.json['id']}"
    wait_until(lambda: mlpd.get(path).json["steps_done"] >= 30, "30 steps")
    assert mlpd.get(path).json["state"] == "running"
    if how == "kill":
        mlpd.kill()
    else:
        assert mlpd.stop() == 0
    mlpd.start()
    finished = mlpd.wait_job(job.json["id"])
    assert finished["state"] == "succeeded" and finished["steps_done"] == 400
    assert mlpd.digest("cut") == mlpd.digest("whole")


def test_paused_and_resumed(mlpd):
    plan = {"data": DATA, "steps": 200}
    mlpd.create("whole", inputs=2, layers=LAYERS)
    mlpd.train("whole", **plan)
    mlpd.create("paused", inputs=2, layers=LAYERS)
    job = mlpd.post("/v1/networks/paused/train", {**plan, "pace": {"steps_per_second": 100}},
                    headers={"Prefer": "respond-async"}).json
    path = f"/v1/jobs/{job['id']}"
    wait_until(lambda: mlpd.get(path).json["steps_done"] >= 10, "10 steps")
    assert mlpd.post(f"{path}/pause").status == 200
    wait_until(lambda: mlpd.get(path).json["state"] == "paused", "the pause")
    mlpd.restart()
    held = mlpd.get(path).json
    assert held["state"] == "paused" and held["steps_done"] < 200
    assert mlpd.post(f"{path}/resume").status == 200
    assert mlpd.wait_job(job["id"])["state"] == "succeeded"
    assert mlpd.digest("paused") == mlpd.digest("whole")


def test_names_and_labels_are_not_part_of_the_state(mlpd):
    plan = PLANS["full batch"]
    digest = straight(mlpd, "one", {"labels": {"team": "a"}}, plan, steps=3)
    assert straight(mlpd, "two", {"labels": {"team": "b"}}, plan, steps=3) == digest
    assert straight(mlpd, "other", {"seed": 1}, plan, steps=3) != digest


def test_a_row_has_the_same_bits_in_whatever_batch(mlpd):
    straight(mlpd, "net", {}, PLANS["full batch"], steps=20)
    rows = POINTS["inputs"][:37]
    together = mlpd.post("/v1/networks/net/predict", {"inputs": rows}).json["outputs"]
    alone = [mlpd.post("/v1/networks/net/predict", {"inputs": row}).json["outputs"][0] for row in rows]
    assert together == alone
