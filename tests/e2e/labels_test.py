"""A network takes its labels from the first rows that bring any, and keeps them."""

INPUTS = [[0, 0], [0, 3], [3, 0], [3, 3], [0.2, 0], [0.1, 2.8], [2.9, 0.1], [3.1, 2.8]]
TARGETS = ["dog", "cat", "owl", "cat", "dog", "cat", "owl", "cat"]
DATA = {"inputs": INPUTS, "targets": TARGETS}


def create(mlpd, name="n", **more):
    return mlpd.create(name, inputs=2, layers=[{"units": 8}, {"units": 3}], **more)


def refused(mlpd, name, data):
    """The faults of a train call that changes nothing."""
    before = mlpd.get(f"/v1/networks/{name}").body
    answer = mlpd.post(f"/v1/networks/{name}/train", {"data": data})
    assert answer.status == 422, answer
    assert mlpd.get(f"/v1/networks/{name}").body == before
    return answer.json["errors"]


def test_labels_of_the_first_rows_are_the_networks(mlpd):
    create(mlpd)
    preview = mlpd.post("/v1/networks/n/train?dry_run=true", {"data": DATA, "class_weights": {"owl": 2}})
    assert preview.json["class_labels"] == ["cat", "dog", "owl"]
    assert "class_labels" not in mlpd.get("/v1/networks/n").json
    job = mlpd.train("n", data=DATA, steps=300, class_weights={"owl": 2})
    assert job["metrics"]["accuracy"] == 1
    assert mlpd.get("/v1/networks/n").json["class_labels"] == ["cat", "dog", "owl"]
    assert mlpd.post("/v1/networks/n/predict", {"inputs": INPUTS}).json["classes"] == TARGETS
    evaluation = mlpd.post("/v1/networks/n/evaluate",
                           {"data": {"inputs": INPUTS[:2], "targets": TARGETS[:2]}})
    assert evaluation.json["metrics"]["accuracy"] == 1
    infer = mlpd.post("/v2/models/n/infer", {
        "inputs": [{"name": "inputs", "shape": [1, 2], "datatype": "FP32", "data": [3, 0]}],
        "outputs": [{"name": "outputs", "parameters": {"classification": 1}}]})
    assert infer.json["outputs"][0]["data"][0].endswith(":2:owl")
    mlpd.train("n", data={"inputs": INPUTS[:1], "targets": ["dog"]}, steps=1)

    # The same as a network that was made with them; kept by export, import, fork and restart.
    create(mlpd, "given", class_labels=["cat", "dog", "owl"])
    mlpd.train("given", data={"inputs": INPUTS, "targets": [1, 0, 2, 0, 1, 0, 2, 0]}, steps=300,
               class_weights={"2": 2})
    mlpd.train("given", data={"inputs": INPUTS[:1], "targets": [1]}, steps=1)
    digest = mlpd.digest("n")
    assert mlpd.digest("given") == digest
    assert mlpd.put("/v1/networks/copy/model", mlpd.get("/v1/networks/n/model").body).status == 201
    assert mlpd.post("/v1/networks/n/fork", {"name": "branch"}).status == 201
    mlpd.restart()
    for name in ("n", "copy", "branch"):
        assert mlpd.digest(name) == digest
        assert mlpd.get(f"/v1/networks/{name}").json["class_labels"] == ["cat", "dog", "owl"]
        assert mlpd.post(f"/v1/networks/{name}/predict", {"inputs": [[0, 3]]}).json["classes"] == ["cat"]
        faults = refused(mlpd, name, {"inputs": INPUTS[:2], "targets": ["cat", "cow"]})
        assert [fault["pointer"] for fault in faults] == ["#/data/targets/1"]
        assert faults[0]["detail"].startswith('"cow" is an unknown label')


def test_too_few_or_too_many_labels_change_nothing(mlpd):
    create(mlpd)
    for targets in (["a", "b"], ["a", "b", "c", "d"]):
        faults = refused(mlpd, "n", {"inputs": INPUTS[:len(targets)], "targets": targets})
        assert [fault["pointer"] for fault in faults] == ["#/data/targets"]
        assert f"has {len(targets)} labels" in faults[0]["detail"]
    mlpd.train("n", data={"inputs": INPUTS[:3], "targets": [0, 1, 2]}, steps=1)
    assert "class_labels" not in mlpd.get("/v1/networks/n").json
    mlpd.train("n", data=DATA, steps=1)  # also after a training by indices
    assert mlpd.get("/v1/networks/n").json["class_labels"] == ["cat", "dog", "owl"]


def test_labels_survive_kill_9_in_the_middle_of_their_job(mlpd):
    whole = {"data": DATA, "steps": 40_000, "record_every": 100}
    create(mlpd, "whole")
    mlpd.train("whole", **whole)
    create(mlpd)
    job = mlpd.post("/v1/networks/n/train", whole, headers={"Prefer": "respond-async"}).json
    mlpd.kill()
    mlpd.start()
    assert mlpd.wait_job(job["id"])["state"] == "succeeded"
    assert mlpd.get("/v1/networks/n").json["class_labels"] == ["cat", "dog", "owl"]
    assert mlpd.digest("n") == mlpd.digest("whole")
