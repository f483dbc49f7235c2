"""The container images on a real Docker engine (engine.sh), run as an operator would."""

import json
import os
import pathlib
import subprocess
import time
import urllib.request

import pytest
from mlpd_process import ROOT, wait_until

FOLDER = pathlib.Path(os.environ.get("MLPD_DOCKER_DIR", ROOT / "build/docker"))
LOCKED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "-m", "128m"]
SIZES = {"slim": 100_000_000, "scratch": 25_000_000}
PORTS = {"slim": 18080, "scratch": 18081}


def docker(*words, timeout_s=60):
    done = subprocess.run(["/usr/bin/docker", *words], capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, f"docker {words}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def engine():
    subprocess.run([ROOT / "tests/docker/engine.sh", FOLDER], check=True, timeout=300)
    os.environ["DOCKER_HOST"] = f"unix://{FOLDER}/d.sock"
    yield
    os.kill(int((FOLDER / "pid").read_text()), 15)


@pytest.fixture(scope="module", params=["slim", "scratch"])
def image(request, engine):
    os.environ["DOCKER_BUILDKIT"] = "1"
    docker("build", "--network", "host", "-f", str(ROOT / "docker/Dockerfile"), "--target", request.param,
           "-t", f"mlpd:{request.param}", str(ROOT), timeout_s=2400)
    return request.param


@pytest.fixture
def container(image):
    """A locked-down server on the host's network (the test engine has no bridge), with its own volume."""
    volume = f"mlpd-{image}-{time.monotonic_ns()}"
    started = []

    def run():
        name = f"{volume}-{len(started)}"
        started.append(name)
        docker("run", "-d", "--name", name, "--network", "host", *LOCKED, "-e", "MLPD_ALLOW_ANONYMOUS=1",
               "-e", f"MLPD_LISTEN=0.0.0.0:{PORTS[image]}", "-v", f"{volume}:/data", f"mlpd:{image}")
        return name

    yield run
    for name in started:
        docker("rm", "-f", name)
    docker("volume", "rm", volume)


def call(image, path, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORTS[image]}{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def healthy(name):
    health = subprocess.run(["/usr/bin/docker", "exec", name, "mlpd", "health"], capture_output=True)
    return health.returncode == 0


def test_sizes(image):
    size = int(docker("image", "inspect", "-f", "{{.Size}}", f"mlpd:{image}"))
    print(f"{image}: {size / 1e6:.1f} MB")
    assert size <= SIZES[image]


def test_trains_serves_and_keeps(image, container):
    name = container()
    wait_until(lambda: healthy(name), "mlpd health in the container", 2)
    assert docker("exec", name, "mlpd", "--version")
    assert docker("inspect", "-f", "{{.Config.User}}", name) == "10001:10001"
    call(image, "/v1/networks", {"name": "my", "inputs": 2, "layers": [{"units": 8}, {"units": 2}]})
    job = call(image, "/v1/networks/my/train", {"data": {"generator": "xor"}})
    assert job["state"] == "succeeded"
    before = call(image, "/v1/networks/my/predict", {"inputs": [0.5, -1]})
    begin = time.monotonic()
    docker("stop", name)
    assert time.monotonic() - begin < 5
    assert docker("inspect", "-f", "{{.State.ExitCode}}", name) == "0"
    name = container()
    wait_until(lambda: healthy(name), "mlpd health in the container", 2)
    assert call(image, "/v1/networks/my/predict", {"inputs": [0.5, -1]}) == before


def test_reports_its_health_to_docker(image, container):
    name = container()
    wait_until(lambda: docker("inspect", "-f", "{{.State.Health.Status}}", name) == "healthy", "healthy", 20)
