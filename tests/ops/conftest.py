import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from mlpd_process import Mlpd  # noqa: E402 (the path comes first)


@pytest.fixture
def mlpd(tmp_path):
    """A fresh server that must not have crashed by the end."""
    folder = tmp_path / "server"
    folder.mkdir()
    server = Mlpd(folder).start()
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0, server.log.read_text()
