"""What a newcomer does first: create, train, look, predict, export, restart, find everything."""

from mlpd_process import golden


def test_first_session_survives_a_restart(mlpd):
    created = mlpd.post("/v1/networks", {"name": "my", "inputs": 2, "layers": [{"units": 8}, {"units": 2}]})
    assert created.status == 201
    assert created.headers["location"] == "/v1/networks/my"
    network = created.json
    assert network["step"] == 0 and network["parameters"] == 2 * 8 + 8 + 8 * 2 + 2
    assert [layer["activation"] for layer in network["layers"]] == ["tanh", "softmax"]
    assert network["loss"] == "cross_entropy" or network["loss"]["type"] == "cross_entropy"

    job = mlpd.train("my", data={"generator": "xor"})
    assert job["state"] == "succeeded" and job["stop_reason"] == "completed"
    assert job["steps_done"] == job["steps_total"] == job["step"] == 1000
    assert job["metrics"]["accuracy"] >= 0.95

    history = mlpd.get("/v1/networks/my/history?fields=step,loss&max_points=10").json
    assert set(history) >= {"step", "loss"}
    assert 2 <= len(history["step"]) == len(history["loss"]) <= 10
    assert history["step"] == sorted(history["step"]) and history["step"][0] == 0
    assert history["loss"][-1] < history["loss"][0]

    prediction = mlpd.post("/v1/networks/my/predict", {"inputs": [0.5, -1]}).json
    assert len(prediction["outputs"]) == 1 and len(prediction["outputs"][0]) == 2
    assert abs(sum(prediction["outputs"][0]) - 1) < 1e-6
    assert prediction["network"] == "my" and prediction["step"] == 1000

    model = mlpd.get("/v1/networks/my/model?history=true")
    before = mlpd.get("/v1/networks/my")
    mlpd.restart()
    assert mlpd.get("/v1/networks/my").json == before.json
    assert mlpd.get("/v1/networks/my").headers["etag"] == before.headers["etag"]
    assert mlpd.get("/v1/networks/my/history?fields=step,loss&max_points=10").json == history
    assert mlpd.post("/v1/networks/my/predict", {"inputs": [0.5, -1]}).json == prediction
    assert mlpd.get("/v1/networks/my/model?history=true").body == model.body
    assert mlpd.get(f"/v1/jobs/{job['id']}").json == job


def test_answers_read_well_in_a_terminal(mlpd):
    mlpd.create("my", inputs=2, layers=[{"units": 2}])
    for path in ("/v1/networks", "/v1/networks/my", "/v1/networks/none", "/v1/capabilities", "/v1/system"):
        assert mlpd.get(path).body.endswith(b"\n"), path
    pretty = mlpd.get("/v1/networks/my?pretty")
    assert pretty.body.count(b"\n") > 10 and pretty.json == mlpd.get("/v1/networks/my").json


def test_the_demo_learns_by_itself_and_is_kept(start):
    mlpd = start("--demo")
    demo = mlpd.get("/v1/networks/demo").json
    job = mlpd.wait_job(mlpd.get("/v1/jobs").json["jobs"][0]["id"])
    assert job["network"] == "demo" and job["state"] == "succeeded" and job["metrics"]["accuracy"] >= 0.99
    assert demo["inputs"] == 2
    digest = mlpd.digest("demo")
    mlpd.restart()
    assert mlpd.digest("demo") == digest
    greeting = mlpd.output.read_text()
    assert mlpd.url in greeting and greeting.count("curl ") == 3


def test_the_root_answers_a_page(mlpd):
    page = mlpd.get("/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert b"mlpd" in page.body


def test_adam_solves_xor_for_nearly_every_seed(mlpd):
    points = golden("xor_300.json")
    data = {"inputs": points["inputs"], "targets": points["classes"]}
    solved = []
    for seed in range(20):
        name = f"seed-{seed}"
        mlpd.create(name, inputs=2, seed=seed, optimizer={"type": "adam", "learning_rate": 0.05},
                    layers=[{"units": 8, "activation": "tanh"}, {"units": 2, "activation": "softmax"}])
        if mlpd.train(name, data=data, steps=2000, record_every=100)["metrics"]["accuracy"] >= 0.99:
            solved.append(seed)
    assert len(solved) >= 18, f"only seeds {solved}"
