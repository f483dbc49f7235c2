"""MLServer (PyPI mlserver): `mlserver infer`, and its OpenAPI documents of the protocol through prism."""

import json
import pathlib
import socket
import subprocess
import sys

import pytest

from mlpd_process import Mlpd, wait_until

BUILD = pathlib.Path(sys.prefix).parent  # where ./dev keeps the environments
BATCH = [{"inputs": [{"name": "inputs", "shape": [1, 2], "datatype": "FP32", "data": [i, 1]}]}
         for i in range(50)]


@pytest.fixture
def linear(mlpd):
    mlpd.create("linear", inputs=2, layers=[{"units": 1, "weights": [[2], [10]], "bias": [1]}])
    return mlpd


@pytest.mark.parametrize("flags", [[], ["--batch-size", "8"], ["--binary-data"]],
                         ids=["one by one", "micro-batches", "binary"])
def test_mlserver_infer(linear, tmp_path, flags):
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(line) for line in BATCH) + "\n")
    run = subprocess.run(
        [BUILD / "venv-mlserver/bin/mlserver", "infer", "--url", f"127.0.0.1:{linear.port}", "--model-name",
         "linear", "--input-data-path", "in.jsonl", "--output-data-path", "out.jsonl", "--workers", "4",
         *flags],
        cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(answers) == len(BATCH), run.stderr
    found = {}
    for answer in answers:  # in any order; the client numbers them
        found[answer["parameters"]["batch_index"]] = answer["outputs"][0]["data"]
    assert found == {i: [2 * i + 11] for i in range(len(BATCH))}


@pytest.fixture
def proxied(linear, request):
    """A prism in front of the server that refuses all that the document of this name doesn't say."""
    folder = next((BUILD / "venv-mlserver").glob("lib/*/site-packages/mlserver/rest/openapi"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(linear.folder / "prism.txt", "wb")
    prism = subprocess.Popen([BUILD / "prism/node_modules/.bin/prism", "proxy", "--errors", "-p", str(port),
                              folder / f"{request.param}.json", linear.url], stdout=log,
                             stderr=subprocess.STDOUT)
    through = Mlpd(linear.folder)
    through.port = port

    def listens():
        assert prism.poll() is None, (linear.folder / "prism.txt").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, "prism", 120)
    yield through
    prism.terminate()
    prism.wait(20)
    log.close()


def check(answer, status=200):
    assert answer.status == status and "prism" not in answer.body.decode(), answer


@pytest.mark.parametrize("proxied", ["dataplane"], indirect=True)
def test_the_data_plane_as_the_document_says(linear, proxied):
    assert linear.post("/v1/networks/linear/versions").status == 201
    for path in ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/linear", "/v2/models/linear/ready",
                 "/v2/models/linear/versions/1", "/v2/models/linear/versions/1/ready"):
        check(proxied.get(path))
    check(proxied.get("/v2/models/nothing"), 404)
    json_type = {"Content-Type": "application/json"}
    for path in ("/v2/models/linear/infer", "/v2/models/linear/versions/1/infer"):
        for outputs in ({}, {"outputs": [{"name": "outputs"}]}):
            answer = proxied.post(path, {**BATCH[3], **outputs, "id": "3"}, headers=json_type)
            check(answer)
            assert answer.json["outputs"][0]["data"] == [17]
    check(proxied.post("/v2/models/linear/infer", {"inputs": []}, headers=json_type), 400)


@pytest.mark.parametrize("proxied", ["model_repository"], indirect=True)
def test_the_repository_as_the_document_says(proxied):
    json_type = {"Content-Type": "application/json"}
    answer = proxied.post("/v2/repository/index", {"ready": True}, headers=json_type)
    check(answer)
    assert [model["name"] for model in answer.json] == ["linear"]
    for verb in ("unload", "load"):
        check(proxied.request("POST", f"/v2/repository/models/linear/{verb}"))
