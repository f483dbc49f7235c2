"""Every limit of the contract, one past it: the defaults where they can be reached, small ones where not."""

import http.client
import re
import subprocess
import threading

import pytest

from bad_input_test import SPEC, check_problem
from mlpd_process import PROGRAM, ROOT, XOR4, Mlpd, wait_until

DEFAULTS = {
    "body_bytes": 64 << 20, "model_body_bytes": 512 << 20, "dataset_body_bytes": 2 << 30, "json_depth": 32,
    "layers": 64, "units": 65_536, "parameters": 50_000_000, "networks": 100_000, "job_steps": 10**9,
    "jobs_waiting": 1_000, "requests_waiting": 64, "event_streams": 1_000, "history_records": 100_000,
    "trace_rows": 64, "trace_numbers": 10**6, "time_travel_bytes": 256 << 20, "journal_bytes": 4 << 20,
    "finished_jobs": 1_000, "replay_ms": 1_000, "feedback_numbers": 100_000, "shadow_numbers": 10**6,
    "searches": 1_000, "searches_waiting": 100, "search_networks": 1_000, "connections": 10_000,
    "header_bytes": 16 << 10, "bodies_bytes": 1 << 30, "http_threads": 128, "header_timeout_seconds": 10,
    "body_timeout_seconds": 30, "write_timeout_seconds": 30, "idle_timeout_seconds": 75,
    "drain_deadline_seconds": 10, "transfer_bytes_per_second_min": 64 << 10, "wait_seconds": 600,
}
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A server with the limits that it has by itself."""
    server = Mlpd(tmp_path_factory.mktemp("limits")).start()
    server.create("net", inputs=2, layers=[{"units": 3}, {"units": 1, "activation": "sigmoid"}])
    yield server
    assert server.stop() == 0


def test_defaults_are_those_of_the_contract(plain):
    assert plain.get("/v1/capabilities").json["limits"] == DEFAULTS


def test_each_limit_of_the_command_line_is_shown_and_documented(start):
    """A number that a flag takes is in /v1/capabilities as given, and has its row in docs/operations.md."""
    text = subprocess.run([PROGRAM, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    options = dict(re.findall(r"^ +--([a-z0-9-]+) (N|BYTES|SECONDS) ", text, re.M))
    limits = {flag: unit for flag, unit in options.items() if not flag.endswith(("-threads", "-poll-us"))}
    assert {"journal-bytes-max", "drain-deadline", "connections-max"} < limits.keys()
    document = (ROOT / "docs/operations.md").read_text()
    table = document[document.index("## Limits"):document.index("## Online learning")]
    assert [flag for flag in limits if f"`{flag}`" not in table] == []
    value = {flag: {"json-depth-max": 50, "journal-bytes-max": 100_000}.get(flag, 2_000 + i)
             for i, flag in enumerate(limits)}
    shown = start(*[word for flag in limits for word in (f"--{flag}", str(value[flag]))])
    units = {"SECONDS": "_seconds"}
    assert shown.get("/v1/capabilities").json["limits"] == {"wait_seconds": 600} | {
        flag.removesuffix("-max").replace("-", "_") + units.get(unit, ""): value[flag]
        for flag, unit in limits.items()}


# what → (changes to SPEC, pointer), one past; each is accepted at its limit by the case below
PAST_DEFAULTS = {
    "layers": ({"layers": [{"units": 1}] * 65}, "#/layers"),
    "layers in a residual": ({"layers": [{"units": 1}, {"type": "residual", "layers": [{"units": 1}] * 63}]},
                             "#/layers"),
    "units": ({"layers": [{"units": 65_537}]}, "#/layers/0/units"),
    "parameters": ({"layers": [{"units": 7_070}, {"units": 7_070}]}, "#/layers"),
    "name": ({"name": "n" * 64}, "#/name"),
    "labels": ({"labels": {f"l{i}": "" for i in range(65)}}, "#/labels"),
    "bytes of a label": ({"labels": {"l": "x" * 257}}, "#/labels/l"),
    "ten years": ({"ttl_s": 10 * 365 * 24 * 3600 + 1}, "#/ttl_s"),
}
AT_DEFAULTS = {
    "layers": {"layers": [{"units": 1}] * 64},
    "units": {"layers": [{"units": 65_536}]},
    "parameters": {"layers": [{"units": 7_065}, {"units": 7_065}]},
    "name": {"name": "n" * 63},
    "labels": {"labels": {f"l{i}": "" for i in range(64)}},
    "bytes of a label": {"labels": {"l": "x" * 256}},
    "ten years": {"ttl_s": 10 * 365 * 24 * 3600},
}


@pytest.mark.parametrize("changes, pointer", PAST_DEFAULTS.values(), ids=PAST_DEFAULTS)
def test_spec_one_past_the_defaults(plain, changes, pointer):
    memory = plain.memory_bytes()
    check_problem(plain.post("/v1/networks", {**SPEC, **changes}), 422, pointer)
    assert plain.memory_bytes() - memory < 32 << 20


@pytest.mark.parametrize("changes", AT_DEFAULTS.values(), ids=AT_DEFAULTS)
def test_spec_at_the_defaults(plain, changes):
    answer = plain.post("/v1/networks?dry_run=true", {**SPEC, **changes})
    assert answer.status == 200, answer


def test_trace_at_and_past_the_defaults(plain):
    def rows(n):
        return {"data": {"inputs": [[0.5, 1]] * n, "targets": [0] * n}}

    assert plain.post("/v1/networks/net/trace", rows(64)).status == 200
    check_problem(plain.post("/v1/networks/net/trace", rows(65)), 422)
    plain.create("million", inputs=2, layers=[{"units": 400}, {"units": 400}, {"units": 1}])
    answer = plain.post("/v1/networks/million/trace", rows(1))  # 3 × 160,000 weights and more
    assert answer.status == 200, answer
    plain.create("millions", inputs=2, layers=[{"units": 600}, {"units": 600}, {"units": 1}])
    check_problem(plain.post("/v1/networks/millions/trace", rows(1)), 422)


def test_training_one_past_the_defaults(plain):
    path = "/v1/networks/net/train"
    for body, pointer in (({"steps": 10**9 + 1}, "#/steps"), ({"epochs": 10**9 + 1}, "#/epochs"),
                          ({"epochs": 10**9, "batch_size": 1}, "#/epochs")):
        check_problem(plain.post(path, {"data": XOR4, **body}), 422, pointer)
    check_problem(plain.post(path, {"data": XOR4}, headers={"Idempotency-Key": "k" * 256}), 422)
    answer = plain.post(path, {"data": XOR4, "steps": 1}, headers={"Idempotency-Key": "k" * 255})
    assert answer.status == 200, answer


DEEP = b"[" * 31 + b"]" * 31  # 32 deep in an object
ROUTES = ["networks", "networks/net/train", "networks/net/predict", "networks/net/evaluate",
          "networks/net/trace", "networks/net/versions", "networks/net/fork", "networks/net/restore",
          "datasets", "searches"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_body_is_bounded(plain, route):
    """One bracket too deep, one byte too long, a number that is none."""
    path = f"/v1/{route}"
    name = {"searches": b"space"}.get(route, b"data")
    check_problem(plain.post(path, b'{"%s":%s}' % (name, DEEP)), 422)
    check_problem(plain.post(path, b'{"%s":[%s]}' % (name, DEEP)), 400)
    for number in (b"1e999", b"-1e999", b"NaN", b"Infinity"):
        check_problem(plain.post(path, b'{"inputs":[[%s,1]]}' % number), 400)
    connection = http.client.HTTPConnection("127.0.0.1", plain.port, timeout=30)
    connection.putrequest("POST", path)
    connection.putheader("Content-Type", "application/json")
    most = DEFAULTS["dataset_body_bytes" if route == "datasets" else "body_bytes"]
    connection.putheader("Content-Length", str(most + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("name", ["../x", "a" * 64, "A", ".a", "a/b"])
def test_bad_names_wherever_one_is_given(plain, name):
    check_problem(plain.post("/v1/networks/net/fork", {"name": name}), 422, "#/name")
    search = {"name": name, "dataset": "article-xor", "network": {"layers": [{"units": 2}]},
              "space": {"train": {"/steps": [1]}}}
    check_problem(plain.post("/v1/searches", search), 422, "#/name")
    check_problem(plain.post("/v1/datasets", {"name": name, "generator": "xor"}), 422, "#/name")
    escaped = name.replace("/", "%2f")
    check_problem(plain.post(f"/v1/datasets?name={escaped}", "a,b\n1,2\n",
                             headers={"Content-Type": "text/csv"}), 422)
    assert plain.post("/v1/networks/net/versions").status == 201
    answer = plain.put(f"/v1/networks/net/aliases/{escaped}", {"version": 1})
    assert answer.status in (404, 422), answer
    assert plain.put(f"/v1/networks/{escaped}/model", {}).status in (400, 404, 422)
    assert plain.get("/v1/networks/net/versions").json["aliases"] == {}


def test_networks_are_counted_however_they_come(start):
    mlpd = start("--networks-max", "2")
    mlpd.create("a", **SPEC)
    mlpd.create("b", **SPEC)
    model = mlpd.get("/v1/networks/a/model").body
    for answer in (mlpd.post("/v1/networks", SPEC), mlpd.put("/v1/networks/c/model", model),
                   mlpd.post("/v1/networks/a/fork", {"name": "c"})):
        assert "2" in check_problem(answer, 429)["detail"]
    assert mlpd.put("/v1/networks/b/model", model).status == 200  # replaced: still two
    assert mlpd.delete("/v1/networks/a").status == 204
    assert mlpd.post("/v1/networks/b/fork", {"name": "c"}).status == 201


def test_event_streams_one_past_the_limit(start):
    mlpd = start("--event-streams-max", "1")
    mlpd.create("n", **SPEC)

    def follow():
        connection = http.client.HTTPConnection("127.0.0.1", mlpd.port, timeout=30)
        connection.request("GET", "/v1/networks/n/events")
        return connection.getresponse()  # open as long as it is held

    first = follow()
    assert first.status == 200
    refused = follow()
    assert refused.status == 503 and int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["Content-Type"] == "application/problem+json"
    first.close()
    wait_until(lambda: follow().status == 200, "room for another stream")


def test_requests_waiting_one_past_the_limit(start):
    mlpd = start("--requests-waiting-max", "1")
    mlpd.create("n", **SPEC)
    slow = {"data": XOR4, "steps": 10**6, "pace": {"steps_per_second": 1}}
    job = mlpd.post("/v1/networks/n/train", slow, headers=ASYNC).json["id"]
    waiting = {"Prefer": "wait=60"}
    answers = []
    first = threading.Thread(target=lambda: answers.append(
        mlpd.post("/v1/networks/n/train", {"data": XOR4, "steps": 1}, headers=waiting)))
    first.start()
    wait_until(lambda: len(mlpd.get("/v1/jobs?network=n").json["jobs"]) == 2, "the first to wait")
    second = mlpd.post("/v1/networks/n/train", {"data": XOR4, "steps": 1}, headers=waiting, timeout_s=30)
    assert second.status == 202, second
    assert first.is_alive()
    assert mlpd.post(f"/v1/jobs/{job}/cancel").status == 200
    first.join(60)
    assert [answer.status for answer in answers] == [200]


def test_history_and_past_stay_within_their_limits(start):
    mlpd = start("--history-records-max", "16", "--time-travel-bytes-max", "6KiB")
    mlpd.create("n", **SPEC)
    mlpd.train("n", data=XOR4, steps=100, checkpoint_every=10)
    steps = mlpd.get("/v1/networks/n/history?fields=step").json["step"]
    assert steps[0] == 0 and steps[-1] == 99 and 8 <= len(steps) <= 16
    kept = mlpd.get("/v1/networks/n/checkpoints").json
    assert kept["bytes"] <= 6 << 10 and len(kept["checkpoints"]) >= 2
    begin = kept["replayable_from"]
    assert 0 < begin <= 90
    check_problem(mlpd.post("/v1/networks/n/restore", {"step": begin - 1}), 409)
    assert mlpd.get(f"/v1/networks/n/model?step={begin}").status == 200


def test_aliases_one_past_the_limit(plain):
    plain.create("many", **SPEC)
    assert plain.post("/v1/networks/many/versions").status == 201
    for i in range(100):
        assert plain.put(f"/v1/networks/many/aliases/a{i}", {"version": 1}).status == 201
    check_problem(plain.put("/v1/networks/many/aliases/one-more", {"version": 1}), 429)
    assert plain.put("/v1/networks/many/aliases/a0", {"version": 1}).status == 200
