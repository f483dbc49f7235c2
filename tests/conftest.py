import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))

from mlpd_process import Mlpd  # noqa: E402  found by the path above


@pytest.fixture
def start(tmp_path):
    """Starts servers for one test: start(*flags) → Mlpd. All end with it, and none may have crashed."""
    servers = []

    def starter(*flags):
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        servers.append(Mlpd(folder, *flags))
        return servers[-1].start()

    yield starter
    for server in servers:
        if server.process.poll() is None:
            assert server.stop() == 0, server.log.read_text()


@pytest.fixture
def mlpd(start):
    """A fresh server."""
    return start()
