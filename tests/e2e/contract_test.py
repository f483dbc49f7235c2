"""Clauses of the HTTP contract that belong to no single subject, checked as an outsider would check them."""

import math
import random
import time

import pytest

from mlpd_process import XOR4

SPEC = {"inputs": 2, "layers": [{"units": 4}, {"units": 2}]}


def patched(mlpd, body):
    answer = mlpd.patch("/v1/networks/n", body)
    assert answer.status == 200, answer
    return answer.json


def test_the_page_answers_get_alone(mlpd):
    wrong = mlpd.post("/")
    assert wrong.status == 405 and wrong.headers["allow"] == "GET, HEAD"
    assert wrong.headers["content-type"] == "application/problem+json"


def test_null_in_a_patch_takes_back_what_was_given(mlpd):
    plain = mlpd.create("plain", **SPEC)
    mlpd.create("n", **SPEC, labels={"a": "1", "b": "2"}, ttl_s=3600,
                optimizer={"type": "sgd", "learning_rate": 0.5, "momentum": 0.9},
                schedule={"type": "exponential", "factor": 0.9}, regularization={"l1": 0.1, "l2": 0.2},
                gradient_clip={"norm": 1.0})
    now = patched(mlpd, {"labels": {"a": None}, "regularization": {"l1": None},
                         "optimizer": {"momentum": None}})
    assert now["labels"] == {"b": "2"} and now["regularization"] == {"l1": 0, "l2": 0.2}
    assert now["optimizer"] == {"type": "sgd", "learning_rate": 0.5, "momentum": 0, "nesterov": False}
    sections = ("optimizer", "schedule", "regularization", "gradient_clip", "labels")
    now = patched(mlpd, {**{section: None for section in sections}, "ttl_s": None})
    for section in sections:
        assert now[section] == plain[section], section
    assert "ttl_s" not in now


def test_time_is_what_a_clock_on_the_wall_shows(mlpd):
    mlpd.create("n", **SPEC)
    begun = time.monotonic()
    job = mlpd.train("n", data=XOR4, steps=10**6, max_seconds=1, pace={"steps_per_second": 50})
    assert time.monotonic() - begun < 20
    assert job["stop_reason"] == "completed" and 30 <= job["steps_done"] <= 52
    assert 25 <= job["steps_per_second"] <= 60


def test_a_wait_may_be_written_as_http_allows(mlpd):
    mlpd.create("n", **SPEC)
    slow = {"data": XOR4, "steps": 10**6, "pace": {"steps_per_second": 1}}
    for prefer in ("wait=0", 'wait="0"', "wait=0; lenient", "respond-async, wait=0",
                   "handling=strict, wait=0"):
        answer = mlpd.post("/v1/networks/n/train", slow, headers={"Prefer": prefer})
        assert answer.status == 202 and answer.headers["location"].startswith("/v1/jobs/"), (prefer, answer)
        assert mlpd.post(f"{answer.headers['location']}/cancel").status == 200
    for prefer in ("wait=soon", "wait=-1", "wait="):
        assert mlpd.post("/v1/networks/n/train", slow, headers={"Prefer": prefer}).status == 422, prefer


def test_pages_newest_first_and_a_cursor_of_somewhere_else(mlpd):
    names = [f"n{i}" for i in range(5)]
    for name in names:
        mlpd.create(name, **SPEC)
        mlpd.train(name, data=XOR4, steps=1)
    for path, field, name_of in (("/v1/networks", "networks", "name"), ("/v1/jobs", "jobs", "network")):
        seen, query = [], "?limit=2"
        while query:
            page = mlpd.get(path + query).json
            seen += [item[name_of] for item in page[field]]
            query = f"?limit=2&cursor={page['next_cursor']}" if "next_cursor" in page else None
        assert seen == names[::-1]
        assert mlpd.get(f"{path}?cursor=elsewhere").status == 422


def test_rows_as_ndjson(mlpd):
    mlpd.create("n", **SPEC)
    lines = {"Content-Type": "application/x-ndjson"}
    rows = [[0.1, -0.2], [3, 4]]
    expected = mlpd.post("/v1/networks/n/predict", {"inputs": rows}).json
    assert mlpd.post("/v1/networks/n/predict", "[0.1,-0.2]\n\n[3,4]\n", headers=lines).json == expected
    answers = mlpd.post("/v1/networks/n/predict", "[0.1,-0.2]\r\n[3,4]",
                        headers={**lines, "Accept": "application/x-ndjson"}).body
    assert answers.endswith(b"\n") and answers.count(b"\n") == 2
    for body, status, says in (("[1,2]\n[3", 400, "line 2"), ("[1,2]\n[3]\n", 422, "#/inputs/1"),
                               ("[1,2]\n{}\n", 422, "#/inputs/1"), ("\n", 422, "#/inputs"),
                               ('{"x": 1}\n', 422, "#/rows")):
        answer = mlpd.post("/v1/networks/n/predict", body, headers=lines)
        assert answer.status == status and says in answer.body.decode(), (body, answer)

    table = "age,sex,kind\n" + "".join(f"{20 + i},{'mf'[i % 2]},{'ab'[i % 2]}\n" for i in range(20))
    assert mlpd.post("/v1/datasets?name=people", table, headers={"Content-Type": "text/csv"}).status == 201
    mlpd.create("named", dataset="people", layers=[{"units": 3}])
    rows = [{"age": 31, "sex": "f"}, {"sex": "m", "age": 20}]
    assert (mlpd.post("/v1/networks/named/predict", '{"age":31,"sex":"f"}\n{"sex":"m","age":20}\n',
                      headers=lines).json == mlpd.post("/v1/networks/named/predict", {"rows": rows}).json)


# what → (spec, train request, pointer): refused at once, not by a job that fails
IMPOSSIBLE = {
    "batch_norm on one row": ({"layers": [{"units": 3}, {"type": "batch_norm"}, {"units": 2}]},
                              {"data": {"inputs": [[1, 2]], "targets": [1]}}, "#/data/inputs"),
    "batch_norm on a last batch of one row": (
        {"layers": [{"units": 3}, {"type": "batch_norm"}, {"units": 2}]}, {"batch_size": 3}, "#/batch_size"),
    "lbfgs in batches": ({"optimizer": {"type": "lbfgs"}}, {"batch_size": 2}, "#/batch_size"),
    "lbfgs with dropout": ({"layers": [{"units": 3}, {"type": "dropout", "rate": 0.5}, {"units": 2}]},
                           {"optimizer": {"type": "lbfgs"}}, "#/optimizer/type"),
    "no row held out": ({}, {"validation": {"fraction": 0.01}}, "#/validation/fraction"),
    "classes that all weigh nothing": ({}, {"class_weights": {"0": 0, "1": 0}}, "#/class_weights"),
    "a target that is no share": ({"layers": [{"units": 1, "activation": "sigmoid"}]},
                                  {"data": {"inputs": [[1, 2]], "targets": [2]}}, "#/data/targets/0"),
    "a negative share": ({}, {"data": {"inputs": [[1, 2]], "targets": [[1.5, -0.5]]}}, "#/data/targets/0"),
    "10^9 epochs": ({}, {"epochs": 10**9, "batch_size": 1}, "#/epochs"),
    "weights of classes that are none": ({"layers": [{"units": 1}]}, {"class_weights": {"1": 2}},
                                         "#/class_weights"),
}


@pytest.mark.parametrize("spec, request_body, pointer", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_can_not_be_trained_is_refused_at_once(mlpd, spec, request_body, pointer):
    mlpd.create("n", **{**SPEC, **spec})
    for query in ("", "?dry_run=true"):
        answer = mlpd.post("/v1/networks/n/train" + query, {"data": XOR4, **request_body})
        assert answer.status == 422, answer
        assert pointer in [error["pointer"] for error in answer.json["errors"]], answer
    assert mlpd.get("/v1/jobs").json["jobs"] == []


def test_a_single_output_has_two_classes_to_weigh(mlpd):
    inputs, targets, weight = [[0, 0], [0, 1], [1, 0]], [0, 1, 1], 3.0
    mlpd.create("n", inputs=2, dtype="float64", optimizer={"type": "sgd", "learning_rate": 0.1},
                layers=[{"units": 1, "activation": "sigmoid", "weights": [[0.5], [-0.25]], "bias": [0.1]}])
    mlpd.train("n", data={"inputs": inputs, "targets": targets}, steps=1, class_weights={"1": weight})
    loss = weights = 0
    for (x1, x2), y in zip(inputs, targets):
        h = 1 / (1 + math.exp(-(0.5 * x1 - 0.25 * x2 + 0.1)))
        loss -= weight * math.log(h) if y else math.log(1 - h)
        weights += weight if y else 1
    recorded = mlpd.get("/v1/networks/n/history").json["loss"][0]
    assert recorded == pytest.approx(loss / weights, rel=1e-12)


def test_record_k_is_of_update_k_plus_1_on_its_batch(mlpd):
    draw = random.Random(0)
    inputs = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(10)]
    targets = [int(x > 0) for x, _ in inputs]
    mlpd.create("n", **SPEC, dtype="float64")
    mlpd.train("n", data={"inputs": inputs, "targets": targets}, batch_size=4, steps=7)
    history = mlpd.get("/v1/networks/n/history").json
    assert history["epoch"] == [1, 1, 1, 2, 2, 2, 3]  # a short last batch is kept
    for step, loss, accuracy in zip(history["step"], history["loss"], history["accuracy"]):
        batch = slice(4 * (step % 3), 4 * (step % 3) + 4)
        seen = mlpd.post(f"/v1/networks/n/evaluate?step={step}",
                         {"data": {"inputs": inputs[batch], "targets": targets[batch]}}).json
        assert (seen["loss"], seen["metrics"]["accuracy"]) == (pytest.approx(loss, rel=1e-14), accuracy)
    job = mlpd.get("/v1/jobs").json["jobs"][0]
    whole = mlpd.post("/v1/networks/n/evaluate", {"data": {"inputs": inputs, "targets": targets}}).json
    assert (job["loss"], job["metrics"]) == (whole["loss"], whole["metrics"])
    mlpd.train("n", steps=9, record_every=4)  # steps 7 to 15, counted from the network's first
    assert mlpd.get("/v1/networks/n/history?from_step=7").json["step"] == [8, 12]
