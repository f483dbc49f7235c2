"""Bad input: the right status, a problem that points at the fault, bounded memory, a server that lives on."""

import http.client
import json
import socket

import pytest

from mlpd_process import XOR4, Mlpd, wait_until

LIMIT_FLAGS = [
    "--body-bytes-max", "256KiB", "--model-body-bytes-max", "512KiB", "--layers-max", "4",
    "--units-max", "1000", "--parameters-max", "2000", "--networks-max", "6",
    "--job-steps-max", "5000", "--jobs-waiting-max", "2",
    "--trace-rows-max", "3", "--trace-numbers-max", "500", "--training-threads", "1",
]


@pytest.fixture(scope="module")
def mlpd(tmp_path_factory):
    """One server with small limits for all cases: none of them may harm the next."""
    server = Mlpd(tmp_path_factory.mktemp("bad-input"), *LIMIT_FLAGS).start()
    server.create("net", inputs=2, layers=[{"units": 3}, {"units": 1, "activation": "sigmoid"}])
    server.create("wide", inputs=20, layers=[{"units": 40}, {"units": 2}])
    yield server
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def lives_unchanged(mlpd):
    """Bad input changes nothing and costs no memory to speak of."""
    def state():
        return [(item["name"], item["etag"] if "etag" in item else item["state_sha256"])
                for item in mlpd.get("/v1/networks").json["networks"]]

    before, memory = state(), mlpd.memory_bytes()
    yield
    assert mlpd.get("/v2/health/ready").status == 200
    assert state() == before
    assert mlpd.memory_bytes() - memory < 32 << 20


def check_problem(answer, status, pointer=None):
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json", answer
    problem = answer.json
    assert problem["status"] == status and problem["type"] and problem["title"] and problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    if pointer is not None:  # the fault itself or, more exactly, a part of it
        pointers = [error["pointer"] for error in problem["errors"]]
        assert any(p == pointer or p.startswith(pointer + "/") for p in pointers), answer
        assert all(error["detail"] for error in problem["errors"])
    return problem


SPEC = {"inputs": 2, "layers": [{"units": 2}]}

MALFORMED = {
    "empty": b"",
    "cut off": b'{"inputs": 2, "layers": [',
    "not JSON": b"inputs=2",
    "trailing comma": b'{"inputs": 2,}',
    "trailing text": b'{"inputs": 2} x',
    "comment": b'{"inputs": 2 /* two */}',
    "single quotes": b"{'inputs': 2}",
    "NaN": b'{"inputs": 2, "layers": [{"units": 2}], "optimizer": {"learning_rate": NaN}}',
    "Infinity": b'{"inputs": 2, "layers": [{"units": 2}], "optimizer": {"learning_rate": -Infinity}}',
    "1e999": b'{"inputs": 2, "layers": [{"units": 2}], "optimizer": {"learning_rate": 1e999}}',
    "broken UTF-8": b'{"name": "\xff\xfe"}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "control character": b'{"name": "a\nb"}',
    "NUL": b'{"inputs": 2}\x00',
    "duplicate key": b'{"inputs": 2, "inputs": 3, "layers": [{"units": 2}]}',
    "leading zero": b'{"inputs": 02}',
    "10,000 brackets": b"[" * 10_000,
    "10,000 closed brackets": b"[" * 10_000 + b"]" * 10_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("path", ["/v1/networks", "/v1/networks/net/train", "/v1/networks/net/predict",
                                  "/v1/networks/net/trace"])
def test_malformed_json(mlpd, path, body):
    optional = not body and path.endswith(("/train", "/trace"))  # no body means: as before
    check_problem(mlpd.post(path, body), 422 if optional else 400)


def test_malformed_model_and_patch(mlpd):
    for body in MALFORMED.values():
        check_problem(mlpd.put("/v1/networks/new/model", body), 400)
        check_problem(mlpd.patch("/v1/networks/net", body), 400)


def test_depth_one_past_the_limit(mlpd):
    nested = b'{"labels": ' + b"[" * 31 + b"]" * 31 + b"}"  # 32 deep: JSON is fine, the field is not
    check_problem(mlpd.post("/v1/networks", nested), 422)
    deeper = nested.replace(b"[]", b"[[]]")
    check_problem(mlpd.post("/v1/networks", deeper), 400)


# what → (changes to SPEC, pointer)
BAD_SPECS = {
    "no inputs": ({"inputs": None}, "#/inputs"),
    "0 inputs": ({"inputs": 0}, "#/inputs"),
    "negative inputs": ({"inputs": -2}, "#/inputs"),
    "half an input": ({"inputs": 1.5}, "#/inputs"),
    "10^9 inputs": ({"inputs": 10**9}, "#/inputs"),
    "inputs in words": ({"inputs": "two"}, "#/inputs"),
    "no layers": ({"layers": []}, "#/layers"),
    "layers of the wrong kind": ({"layers": {"units": 2}}, "#/layers"),
    "a layer of the wrong kind": ({"layers": [7]}, "#/layers"),
    "0 units": ({"layers": [{"units": 0}]}, "#/layers/0/units"),
    "10^9 units": ({"layers": [{"units": 10**9}]}, "#/layers/0/units"),
    "10^30 units": ({"layers": [{"units": 10**30}]}, "#/layers/0/units"),
    "one unit past the limit": ({"layers": [{"units": 1001}]}, "#/layers/0/units"),
    "one layer past the limit": ({"layers": [{"units": 2}] * 5}, "#/layers"),
    "parameters past the limit": ({"layers": [{"units": 660}, {"units": 1}]}, "#/layers"),
    "unknown activation": ({"layers": [{"units": 2, "activation": "tahn"}]}, "#/layers/0/activation"),
    "unknown layer type": ({"layers": [{"type": "dens", "units": 2}]}, "#/layers/0/type"),
    "softmax in the middle": ({"layers": [{"units": 2, "activation": "softmax"}, {"units": 2}]},
                              "#/layers/0/activation"),
    "unknown field": ({"learning_rate": 1}, "#/learning_rate"),
    "unknown nested field": ({"optimizer": {"type": "adam", "lerning_rate": 1}}, "#/optimizer/lerning_rate"),
    "unknown loss": ({"loss": "hinge"}, "#/loss"),
    "negative rate": ({"optimizer": {"learning_rate": -0.1}}, "#/optimizer/learning_rate"),
    "unknown optimizer": ({"optimizer": {"type": "adamm"}}, "#/optimizer/type"),
    "momentum of 1": ({"optimizer": {"type": "sgd", "learning_rate": 0.1, "momentum": 1.0}},
                      "#/optimizer/momentum"),
    "negative penalty": ({"regularization": {"l2": -1}}, "#/regularization/l2"),
    "negative clip": ({"gradient_clip": {"norm": -1}}, "#/gradient_clip/norm"),
    "unknown schedule": ({"schedule": {"type": "sawtooth"}}, "#/schedule/type"),
    "negative seed": ({"seed": -1}, "#/seed"),
    "unknown dtype": ({"dtype": "float16"}, "#/dtype"),
    "ragged weights": ({"layers": [{"units": 2, "weights": [[1, 2], [3]]}]}, "#/layers/0/weights"),
    "weights of another shape": ({"layers": [{"units": 2, "weights": [[1, 2]]}]}, "#/layers/0/weights"),
    "bias of another length": ({"layers": [{"units": 2, "bias": [1]}]}, "#/layers/0/bias"),
    "labels of the wrong kind": ({"labels": {"team": 1}}, "#/labels/team"),
    "negative ttl": ({"ttl_s": -1}, "#/ttl_s"),
}


@pytest.mark.parametrize("changes, pointer", BAD_SPECS.values(), ids=BAD_SPECS)
def test_bad_spec(mlpd, changes, pointer):
    spec = {name: value for name, value in {**SPEC, **changes}.items() if value is not None}
    check_problem(mlpd.post("/v1/networks", spec), 422, pointer)


def test_all_faults_at_once_and_what_was_meant(mlpd):
    spec = {"inptus": 2, "layers": [{"units": 0, "activation": "relo"}], "optimizer": {"learning_rate": -1}}
    problem = check_problem(mlpd.post("/v1/networks", spec), 422)
    said = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert set(said) >= {"#/inptus", "#/layers/0/units", "#/layers/0/activation", "#/optimizer/learning_rate"}
    assert "inputs" in said["#/inptus"] and "relu" in said["#/layers/0/activation"]


BAD_NAMES = {"../x": "../x", "empty": "", "64 characters": "a" * 64, "capitals": "Net", "space": "a b",
             "dot first": ".a", "dash last": "a-", "slash": "a/b", "umlaut": "nätz", "NUL": "a\0b",
             "not text": 5}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_bad_name(mlpd, name):
    check_problem(mlpd.post("/v1/networks", {**SPEC, "name": name}), 422, "#/name")


@pytest.mark.parametrize("path", ["/v1/networks/..%2fx", "/v1/networks/" + "a" * 64,
                                  "/v1/networks/Net", "/v1/networks/none", "/v1/nothing",
                                  "/v1/networks/net/nothing", "/v1/networks/net/", "/v1/jobs/none", "/v1",
                                  "/v1/networks/../../etc/passwd", "//"])
def test_unknown_path(mlpd, path):
    check_problem(mlpd.get(path), 404)


@pytest.mark.parametrize("path", ["/v1/networks/%00", "/v1/networks/%zz", "/v1/networks/a%0ab"])
def test_malformed_path(mlpd, path):
    check_problem(mlpd.get(path), 400)


def test_duplicate_create(mlpd):
    problem = check_problem(mlpd.post("/v1/networks", {**SPEC, "name": "net"}), 409)
    assert "net" in problem["detail"]


# what → (request, status, pointer)
BAD_TRAININGS = {
    "no data ever": ({}, 422, "#/data"),
    "data of the wrong kind": ({"data": 3}, 422, "#/data"),
    "no targets": ({"data": {"inputs": [[0, 1]]}}, 422, "#/data/targets"),
    "0 rows": ({"data": {"inputs": [], "targets": []}}, 422, "#/data/inputs"),
    "too narrow": ({"data": {"inputs": [[0], [1]], "targets": [0, 1]}}, 422, "#/data/inputs"),
    "too wide": ({"data": {"inputs": [[0, 1, 2]], "targets": [0]}}, 422, "#/data/inputs"),
    "ragged": ({"data": {"inputs": [[0, 1], [2]], "targets": [0, 1]}}, 422, "#/data/inputs/1"),
    "text among numbers": ({"data": {"inputs": [[0, "1"]], "targets": [0]}}, 422, "#/data/inputs"),
    "null among numbers": ({"data": {"inputs": [[0, None]], "targets": [0]}}, 422, "#/data/inputs"),
    "fewer targets than rows": ({"data": {"inputs": [[0, 1]] * 2, "targets": [0]}}, 422, "#/data/targets"),
    "targets of another width": ({"data": {"inputs": [[0, 1]], "targets": [[0, 1]]}}, 422, "#/data/targets"),
    "past float32": ({"data": {"inputs": [[1e39, 0]], "targets": [0]}}, 422, "#/data/inputs"),
    "unknown generator": ({"data": {"generator": "xorr"}}, 422, "#/data/generator"),
    "generator with 0 rows": ({"data": {"generator": "xor", "rows": 0}}, 422, "#/data/rows"),
    "0 steps": ({"data": XOR4, "steps": 0}, 422, "#/steps"),
    "negative steps": ({"data": XOR4, "steps": -5}, 422, "#/steps"),
    "one step past the limit": ({"data": XOR4, "steps": 5001}, 422, "#/steps"),
    "10^30 steps": ({"data": XOR4, "steps": 10**30}, 422, "#/steps"),
    "steps and epochs": ({"data": XOR4, "steps": 1, "epochs": 1}, 422, "#/epochs"),
    "0 rows a batch": ({"data": XOR4, "batch_size": 0}, 422, "#/batch_size"),
    "record every 0": ({"data": XOR4, "record_every": 0}, 422, "#/record_every"),
    "all for validation": ({"data": XOR4, "validation": {"fraction": 1.0}}, 422, "#/validation/fraction"),
    "negative patience": ({"data": XOR4, "validation": {"fraction": 0.5}, "early_stopping": {"patience": -1}},
                          422, "#/early_stopping/patience"),
    "unknown metric": ({"data": XOR4, "early_stopping": {"metric": "los"}}, 422, "#/early_stopping/metric"),
    "negative rate": ({"data": XOR4, "optimizer": {"learning_rate": -1}}, 422, "#/optimizer/learning_rate"),
    "unknown field": ({"data": XOR4, "step": 5}, 422, "#/step"),
    "unknown data field": ({"data": {**XOR4, "labels": []}}, 422, "#/data/labels"),
    "negative seconds": ({"data": XOR4, "max_seconds": -1}, 422, "#/max_seconds"),
    "0 steps a second": ({"data": XOR4, "pace": {"steps_per_second": 0}}, 422, "#/pace/steps_per_second"),
}


@pytest.mark.parametrize("request_body, status, pointer", BAD_TRAININGS.values(), ids=BAD_TRAININGS)
def test_bad_training(mlpd, request_body, status, pointer):
    check_problem(mlpd.post("/v1/networks/net/train", request_body), status, pointer)


BAD_INPUTS = {
    "no inputs": ({}, "#/inputs"),
    "0 rows": ({"inputs": []}, "#/inputs"),
    "too narrow": ({"inputs": [[1]]}, "#/inputs"),
    "too wide": ({"inputs": [[1, 2, 3]]}, "#/inputs"),
    "flat, too wide": ({"inputs": [1, 2, 3]}, "#/inputs"),
    "ragged": ({"inputs": [[1, 2], [3]]}, "#/inputs/1"),
    "a cube": ({"inputs": [[[1, 2]]]}, "#/inputs"),
    "text": ({"inputs": [["a", "b"]]}, "#/inputs"),
    "null": ({"inputs": None}, "#/inputs"),
    "object": ({"inputs": {"a": 1}}, "#/inputs"),
    "unknown field": ({"inputs": [1, 2], "row": 1}, "#/row"),
    "past float32": ({"inputs": [1e39, 0]}, "#/inputs"),
}


@pytest.mark.parametrize("request_body, pointer", BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_bad_prediction(mlpd, request_body, pointer):
    check_problem(mlpd.post("/v1/networks/net/predict", request_body), 422, pointer)


def test_evaluate_and_trace_check_their_data(mlpd):
    for room in ("evaluate", "trace"):
        path = f"/v1/networks/net/{room}"
        check_problem(mlpd.post(path, {"data": {"inputs": [[0]], "targets": [0]}}), 422)
        check_problem(mlpd.post(path, {"dta": XOR4}), 422, "#/dta")


def test_trace_one_past_its_limits(mlpd):
    def rows(n, width):
        return {"data": {"inputs": [[0.5] * width] * n, "targets": [0] * n}}

    assert mlpd.post("/v1/networks/net/trace", rows(3, 2)).status == 200
    check_problem(mlpd.post("/v1/networks/net/trace", rows(4, 2)), 422)
    check_problem(mlpd.post("/v1/networks/wide/trace", rows(1, 20)), 422)  # its 922 parameters are past 500


def test_lists_check_their_query(mlpd):
    for query in ("limit=0", "limit=-1", "limit=x", "limit=1001"):
        assert check_problem(mlpd.get(f"/v1/networks?{query}"), 422)["detail"].startswith("limit: ")
    for query in ("max_points=-1", "max_points=x", "fields=los", "from_step=x", "from_step=5&to_step=4"):
        check_problem(mlpd.get(f"/v1/networks/net/history?{query}"), 422)


def test_wrong_method(mlpd):
    cases = {
        "/v1/networks": ("PUT", {"GET", "POST"}),
        "/v1/networks/net": ("POST", {"GET", "PATCH", "DELETE"}),
        "/v1/networks/net/train": ("GET", {"POST"}),
        "/v1/networks/net/predict": ("DELETE", {"POST"}),
        "/v1/networks/net/model": ("POST", {"GET", "PUT"}),
        "/v1/capabilities": ("POST", {"GET"}),
    }
    for path, (method, allowed) in cases.items():
        answer = mlpd.request(method, path)
        check_problem(answer, 405)
        allow = set(answer.headers["allow"].replace(" ", "").split(","))
        assert allow - {"HEAD", "OPTIONS"} == allowed, answer


def test_wrong_media_and_conditions(mlpd):
    check_problem(mlpd.post("/v1/networks", b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), 415)
    check_problem(mlpd.post("/v1/networks", b"<x/>", headers={"Content-Type": "application/xml"}), 415)
    check_problem(mlpd.patch("/v1/networks/net", {"labels": {}}, headers={"If-Match": '"stale"'}), 412)
    check_problem(mlpd.delete("/v1/networks/net", headers={"If-Match": '"stale"'}), 412)


# ---- Size ----

def raw(mlpd, head, chunks):
    """Sends by hand; the answer even if the server closes while we still send."""
    with socket.create_connection(("127.0.0.1", mlpd.port), timeout=30) as connection:
        try:
            connection.sendall(head)
            for chunk in chunks:
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read()


OVER = 256 * 1024 + 1


def test_body_over_the_limit_with_content_length(mlpd):
    fits = b" " * (OVER - 1 - len(b"{}")) + b"{}"
    check_problem(mlpd.post("/v1/networks", fits), 422)  # long enough to be read, wrong enough to be refused
    for length in (OVER, 99999999999999):
        head = b"POST /v1/networks HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length
        status, body = raw(mlpd, head, [b" " * 1000])
        assert status == 413 and json.loads(body)["status"] == 413


def test_body_over_the_limit_without_content_length(mlpd):
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    status, body = raw(mlpd, b"POST /v1/networks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                       [chunk] * 300)
    assert status == 413 and json.loads(body)["status"] == 413


def test_model_over_its_limit(mlpd):
    head = b"PUT /v1/networks/new/model HTTP/1.1\r\nHost: x\r\n"
    status, _ = raw(mlpd, head + b"Content-Length: %d\r\n\r\n" % (512 * 1024 + 1), [b" " * 1000])
    assert status == 413
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    status, _ = raw(mlpd, head + b"Transfer-Encoding: chunked\r\n\r\n", [chunk] * 300)
    assert status == 413


# ---- Counts ----

def test_networks_one_past_the_limit(mlpd):
    made = []
    try:
        for i in range(4):
            made.append(mlpd.create(f"extra-{i}", **SPEC)["name"])
        problem = check_problem(mlpd.post("/v1/networks", SPEC), 429)
        assert "6" in problem["detail"]
    finally:
        for name in made:
            assert mlpd.delete(f"/v1/networks/{name}").status in (200, 204)


def test_jobs_one_past_the_limit(start):
    mlpd = start("--jobs-waiting-max", "2", "--training-threads", "1")
    jobs = []
    for i in range(4):
        mlpd.create(f"n{i}", **SPEC)
        answer = mlpd.post(f"/v1/networks/n{i}/train",
                           {"data": XOR4, "steps": 10**9, "record_every": 10**6},
                           headers={"Prefer": "respond-async"})
        if i == 0:
            wait_running(mlpd, answer.json["id"])
        if i < 3:
            assert answer.status == 202, answer
            jobs.append(answer.json["id"])
        else:
            check_problem(answer, 429)
            assert int(answer.headers["retry-after"]) >= 1
    for job in jobs:
        assert mlpd.post(f"/v1/jobs/{job}/cancel").status == 200
        assert mlpd.wait_job(job)["state"] == "cancelled"


def wait_running(mlpd, job):
    wait_until(lambda: mlpd.get(f"/v1/jobs/{job}").json["state"] == "running", "the job to run")


def test_requests_waiting_one_past_the_limit(start):
    mlpd = start("--requests-waiting-max", "0")
    mlpd.create("n", **SPEC)
    slow = {"data": XOR4, "steps": 10**6, "pace": {"steps_per_second": 1}}
    answer = mlpd.post("/v1/networks/n/train", slow, headers={"Prefer": "wait=60"})
    assert answer.status == 202, answer
    assert mlpd.post(f"/v1/jobs/{answer.json['id']}/cancel").status == 200
