"""The container images on a real Docker engine (engine.sh), run as an operator would."""

import subprocess
import time

import pytest
from mlpd_process import wait_until
from readme_session import run_readme

LOCKED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "-m", "128m"]
SIZES = {"slim": 100_000_000, "scratch": 25_000_000}
PORTS = {"slim": 18080, "scratch": 18081}


@pytest.fixture(scope="module", params=["slim", "scratch"])
def image(request, build):
    build(request.param)
    return request.param


@pytest.fixture
def container(docker, image):
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


def healthy(name):
    health = subprocess.run(["/usr/bin/docker", "exec", name, "mlpd", "health"], capture_output=True)
    return health.returncode == 0


def test_sizes(docker, image):
    size = int(docker("image", "inspect", "-f", "{{.Size}}", f"mlpd:{image}"))
    print(f"{image}: {size / 1e6:.1f} MB")
    assert size <= SIZES[image]


def test_trains_serves_and_keeps(docker, image, container, tmp_path):
    """The README's session, all of it there after a stop."""
    def start():
        name = container()
        wait_until(lambda: healthy(name), "mlpd health in the container", 2)
        return name

    def stop(name):
        begin = time.monotonic()
        docker("stop", name)
        assert time.monotonic() - begin < 5
        assert docker("inspect", "-f", "{{.State.ExitCode}}", name) == "0"

    name = start()
    assert docker("exec", name, "mlpd", "--version")
    assert docker("inspect", "-f", "{{.Config.User}}", name) == "10001:10001"
    run_readme(f"http://127.0.0.1:{PORTS[image]}", tmp_path, lambda: (stop(name), start()))


def test_reports_its_health_to_docker(docker, container):
    name = container()
    wait_until(lambda: docker("inspect", "-f", "{{.State.Health.Status}}", name) == "healthy", "healthy", 20)
