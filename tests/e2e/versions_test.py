"""Published versions, and aliases that move between them."""

import random
import threading
import time

from mlpd_process import wait_until

ROWS = {"inputs": [[0.5, -1]]}


def outputs(mlpd, query=""):
    answer = mlpd.post(f"/v1/networks/n/predict{query}", ROWS)
    assert answer.status == 200, answer
    return answer.json["outputs"]


def publish_two(mlpd):
    mlpd.create("n", inputs=2, layers=[{"units": 3}, {"units": 2}])
    mlpd.train("n", data={"generator": "xor"}, steps=100)
    answer = mlpd.post("/v1/networks/n/versions")
    assert answer.status == 201 and answer.headers["location"] == "/v1/networks/n/versions/1", answer
    assert answer.json["state_sha256"] == mlpd.digest("n")
    first = outputs(mlpd)
    mlpd.train("n", steps=100)
    assert mlpd.post("/v1/networks/n/versions", {"step": 150}).json["step"] == 150
    return first, outputs(mlpd, "?step=150")


def test_versions_outlive_training_and_restarts(mlpd):
    first, second = publish_two(mlpd)
    assert mlpd.put("/v1/networks/n/aliases/default", {"version": 1}).status == 201
    mlpd.kill()
    mlpd.start()
    assert outputs(mlpd, "?version=1") == outputs(mlpd, "?alias=default") == first != second
    assert outputs(mlpd, "?version=2") == second
    listed = mlpd.get("/v1/networks/n/versions").json
    assert [v["version"] for v in listed["versions"]] == [2, 1]
    assert listed["aliases"] == {"default": 1}
    assert mlpd.get("/v1/networks/n/versions/1").json["aliases"] == ["default"]


def test_an_alias_holds_its_version(mlpd):
    first, second = publish_two(mlpd)
    assert mlpd.put("/v1/networks/n/aliases/a", {"version": 1}).status == 201
    assert mlpd.delete("/v1/networks/n/versions/1").status == 409
    assert mlpd.put("/v1/networks/n/aliases/a", {"version": 2}).status == 200
    assert outputs(mlpd, "?alias=a") == second
    assert mlpd.delete("/v1/networks/n/versions/1").status == 204
    assert mlpd.get("/v1/networks/n/versions/1").status == 404
    assert mlpd.post("/v1/networks/n/predict?version=1", ROWS).status == 404
    assert mlpd.delete("/v1/networks/n/aliases/a").status == 204
    assert mlpd.get("/v1/networks/n/aliases/a").status == 404
    assert mlpd.delete("/v1/networks/n/versions/2").status == 204
    assert mlpd.post("/v1/networks/n/versions").json["version"] == 3  # a number is never used again


def test_what_is_wrong_is_said(mlpd):
    publish_two(mlpd)
    assert mlpd.put("/v1/networks/n/aliases/a", {"version": 9}).status == 404
    assert mlpd.put("/v1/networks/n/aliases/12", {"version": 1}).status == 422
    assert mlpd.put("/v1/networks/n/aliases/a", {"versio": 1}).status == 422
    assert mlpd.post("/v1/networks/n/versions", {"step": 1000}).status == 404
    assert mlpd.post("/v1/networks/n/predict?version=1&step=3", ROWS).status == 422
    assert mlpd.get("/v1/networks/no/versions").status == 404


def test_a_key_publishes_once(mlpd):
    publish_two(mlpd)

    def publish(key, body=None):
        return mlpd.post("/v1/networks/n/versions", body, headers={"Idempotency-Key": key})

    first = publish("a 'key'")
    assert first.status == 201 and first.json["version"] == 3
    mlpd.train("n", steps=1)
    assert publish("another").json["version"] == 4
    mlpd.kill()
    mlpd.start()
    again = publish("a 'key'")
    assert (again.status, again.json, again.headers["location"]) == (
        201, first.json, first.headers["location"])
    assert publish("a 'key'", {"step": 1}).status == 409
    assert mlpd.delete("/v1/networks/n/versions/3").status == 204
    assert publish("a 'key'").json["version"] == 5  # a key is forgotten with its version


def test_versions_go_with_their_network(mlpd):
    publish_two(mlpd)
    assert mlpd.delete("/v1/networks/n").status == 204
    mlpd.create("n", inputs=2, layers=[{"units": 3}, {"units": 2}])
    assert mlpd.get("/v1/networks/n/versions").json == {"versions": [], "aliases": {}}


def ask_v2(mlpd, model):
    tensor = {"name": "inputs", "shape": [len(MANY), 2], "datatype": "FP32", "data": MANY}
    return mlpd.post(f"/v2/models/{model}/infer", {"inputs": [tensor]})


MANY = [[0.01 * i, 1 - 0.02 * i] for i in range(100)]


def test_the_inference_protocol_lists_and_names_versions(mlpd):
    publish_two(mlpd)
    assert ask_v2(mlpd, "n").json["model_version"] == "live"
    assert mlpd.put("/v1/networks/n/aliases/default", {"version": 1}).status == 201
    assert mlpd.get("/v2/models/n").json["versions"] == ["live", "2", "1"]
    index = mlpd.post("/v2/repository/index").json
    assert [(row["name"], row["version"], row["state"]) for row in index] == [
        ("n", "live", "READY"), ("n", "2", "READY"), ("n", "1", "READY")]
    assert ask_v2(mlpd, "n").json["model_version"] == "1"
    assert ask_v2(mlpd, "n/versions/2").json["model_version"] == "2"
    assert ask_v2(mlpd, "n/versions/3").status == 404
    stats = mlpd.get("/v2/models/n/stats").json["model_stats"]
    counted = {row["version"]: row["execution_count"] for row in stats}
    assert counted == {"live": 2, "1": 1, "2": 1}  # predict is counted too


def test_1000_flips_under_load(mlpd):
    publish_two(mlpd)
    by_version = {v: ask_v2(mlpd, f"n/versions/{v}").json["outputs"][0]["data"] for v in "12"}
    whole = [mlpd.post(f"/v1/networks/n/predict?version={v}", {"inputs": MANY}).json for v in (1, 2)]
    assert by_version["1"] != by_version["2"] and whole[0] != whole[1]
    assert mlpd.put("/v1/networks/n/aliases/default", {"version": 1}).status == 201
    stop = threading.Event()
    answers, wrong = [], []

    def ask(one):
        while not stop.is_set():
            try:
                status, right = one()
            except Exception as failure:  # told by the main thread
                status, right = failure, False
            answers.append(status)
            if not right:
                wrong.append(status)

    def predict():
        got = mlpd.post("/v1/networks/n/predict?alias=default", {"inputs": MANY})
        return got.status, got.status == 200 and got.json in whole

    def infer():
        got = ask_v2(mlpd, "n")
        if got.status != 200:
            return got.status, False
        return got.status, got.json["outputs"][0]["data"] == by_version[got.json["model_version"]]

    threads = [threading.Thread(target=ask, args=(one,)) for one in (predict, infer, predict, infer)]
    for thread in threads:
        thread.start()
    for i in range(1000):
        assert mlpd.put("/v1/networks/n/aliases/default", {"version": 2 - i % 2}).status == 200
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong and len(answers) > 100


GATED = {"data": {"generator": "moons", "rows": 200, "noise": 0.1}, "validation": {"fraction": 0.25},
         "publish_if": {"metric": "validation_loss", "better_by": 0.01, "alias": "default"}}


def test_a_job_publishes_what_is_better(mlpd):
    mlpd.create("n", inputs=2, layers=[{"units": 8}, {"units": 2}])
    first = mlpd.train("n", **GATED, steps=20)["publication"]
    assert first["version"] == 1 and first["alias"] == "default" and "incumbent" not in first
    better = mlpd.train("n", **GATED, steps=200)
    gate = better["publication"]
    assert gate["version"] == 2 and gate["incumbent"] == first["value"] > gate["value"] + 0.01
    listed = mlpd.get("/v1/networks/n/versions").json
    assert listed["aliases"] == {"default": 2}
    assert listed["versions"][0]["job"] == better["id"] and listed["versions"][0]["aliases"] == ["default"]
    assert listed["versions"][0]["state_sha256"] == mlpd.digest("n")
    job = mlpd.train("n", **GATED, steps=1)
    assert job["state"] == "succeeded" and "version" not in job["publication"]
    assert "not better" in job["publication"]["reason"]
    assert len(mlpd.get("/v1/networks/n/versions").json["versions"]) == 2
    mlpd.kill()
    mlpd.start()
    assert mlpd.get(f"/v1/jobs/{job['id']}").json["publication"] == job["publication"]


def test_a_job_killed_before_its_end_publishes_once(mlpd):
    mlpd.create("n", inputs=2, layers=[{"units": 8}, {"units": 2}])
    for _ in range(3):
        job = mlpd.post("/v1/networks/n/train", {**GATED, "steps": 3000},
                        headers={"Prefer": "respond-async"}).json
        mlpd.kill()
        mlpd.start()
        ended = mlpd.wait_job(job["id"])
        assert ended["state"] == "succeeded", ended
        versions = mlpd.get("/v1/networks/n/versions").json["versions"]
        assert [v.get("job") for v in versions].count(job["id"]) == ("version" in ended["publication"])


def test_gates_that_make_no_sense_are_refused(mlpd):
    mlpd.create("n", inputs=2, layers=[{"units": 8}, {"units": 2}])
    for gate, pointer in [({"metric": "validation_loss"}, "metric"), ({"metric": "beauty"}, "metric"),
                          ({"better_by": -1}, "better_by"), ({"alias": "7"}, "alias"), ({"by": 1}, "by")]:
        answer = mlpd.post("/v1/networks/n/train", {"data": {"generator": "xor"}, "publish_if": gate})
        assert answer.status == 422, answer
        assert [e["pointer"] for e in answer.json["errors"]] == [f"#/publish_if/{pointer}"]


def test_kills_at_random_moments_publish_once(mlpd):
    chance = random.Random(7)
    mlpd.create("n", inputs=2, layers=[{"units": 8}, {"units": 2}],
                optimizer={"type": "adam", "learning_rate": 0.02})
    for _ in range(20):
        for _ in range(chance.randrange(1, 4)):
            body = {**GATED, "steps": chance.randrange(1, 40), "publish_if": {"alias": "a"}}
            answer = mlpd.post("/v1/networks/n/train", body, headers={"Prefer": "respond-async"})
            assert answer.status == 202, answer
        end = time.monotonic() + chance.random() * 0.03
        wait_until(lambda: time.monotonic() >= end, "the moment to kill")
        mlpd.kill()
        mlpd.start()
        wait_until(lambda: mlpd.get("/v1/networks/n").json["state"] == "idle", "all jobs ended")
        jobs = mlpd.get("/v1/jobs?network=n&limit=1000").json["jobs"]
        assert all(job["state"] == "succeeded" for job in jobs), jobs
        published = sorted(job["publication"]["version"] for job in jobs if "version" in job["publication"])
        listed = mlpd.get("/v1/networks/n/versions").json
        assert published == list(range(1, len(published) + 1))
        assert sorted(version["version"] for version in listed["versions"]) == published
        assert listed["aliases"] == {"a": published[-1]}
