"""What the tests of containers share: a real Docker engine (engine.sh)."""

import os
import pathlib
import subprocess

import pytest
from mlpd_process import ROOT

FOLDER = pathlib.Path(os.environ.get("MLPD_DOCKER_DIR", ROOT / "build/docker"))


@pytest.fixture(scope="session")
def docker():
    """docker(words…) → output; fails with what docker said."""
    subprocess.run([ROOT / "tests/docker/engine.sh", FOLDER], check=True, timeout=600)
    os.environ.update(DOCKER_HOST=f"unix://{FOLDER}/d.sock", DOCKER_BUILDKIT="1")

    def run(*words, timeout_s=60, **more):
        done = subprocess.run(["/usr/bin/docker", *words], capture_output=True, text=True, timeout=timeout_s,
                              **more)
        assert done.returncode == 0, f"docker {words}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    yield run
    os.kill(int((FOLDER / "pid").read_text()), 15)


@pytest.fixture(scope="session")
def build(docker):
    """build(target) → the image of that stage of docker/Dockerfile."""

    def build(target):
        image = f"mlpd:{target}"
        docker("build", "--network", "host", "-f", str(ROOT / "docker/Dockerfile"), "--target", target,
               "-t", image, str(ROOT), timeout_s=2400)
        return image

    return build
