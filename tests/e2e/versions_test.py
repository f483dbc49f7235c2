"""Published versions, and aliases that move between them."""

import threading

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


def test_versions_go_with_their_network(mlpd):
    publish_two(mlpd)
    assert mlpd.delete("/v1/networks/n").status == 204
    mlpd.create("n", inputs=2, layers=[{"units": 3}, {"units": 2}])
    assert mlpd.get("/v1/networks/n/versions").json == {"versions": [], "aliases": {}}


def test_1000_flips_under_load(mlpd):
    first, second = publish_two(mlpd)
    assert mlpd.put("/v1/networks/n/aliases/default", {"version": 1}).status == 201
    stop = threading.Event()
    answers, wrong = [], []

    def ask():
        while not stop.is_set():
            got = mlpd.post("/v1/networks/n/predict?alias=default", ROWS)
            answers.append(got.status)
            if got.status != 200 or got.json["outputs"] not in (first, second):
                wrong.append(got)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(1000):
        assert mlpd.put("/v1/networks/n/aliases/default", {"version": 2 - i % 2}).status == 200
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong and len(answers) > 100
