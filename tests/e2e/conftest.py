import pytest

from mlpd_process import Mlpd


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
