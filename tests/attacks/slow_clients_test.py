"""slowhttptest with 1,000 slow connections while wrk plays the ordinary clients.

Windows without and with the slow ones take turns, and the median of the shares counts, because this machine
may be busy with something else at any one of them; where it falls short, further rounds follow. Once all have
come, slowhttptest runs at the lowest priority: slow clients have their own machines, and what they cost us is
to be measured, not what they cost themselves.
"""

import contextlib
import os
import re
import statistics
import subprocess

import pytest
from mlpd_process import wait_until

SLOW = 1000
ROUNDS = 5
ROUNDS_MAX = 20
WINDOW_S = 2
SHARE_MIN = 0.8
MODES = {  # path and options
    "header": ("/v2", ["-H", "-i", "1"]),
    "body": ("/v1/networks/net/predict", ["-B", "-i", "1", "-s", "8192"]),
    "read": ("/openapi.json", ["-X", "-n", "1", "-w", "10", "-y", "20", "-z", "5", "-k", "3"]),
}


def throughput(url):
    """Requests a second of 16 ordinary clients; every one of them must be answered by 200."""
    run = subprocess.run(["wrk", "-t1", "-c16", f"-d{WINDOW_S}s", "--timeout", "10s", url],
                         capture_output=True, text=True, timeout=60)
    assert "Socket errors" not in run.stdout and "Non-2xx" not in run.stdout, run.stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", run.stdout).group(1))


def connections(mlpd):
    return int(re.search(r"^mlpd_http_connections (\d+)", mlpd.get("/metrics").body.decode(), re.M).group(1))


@contextlib.contextmanager
def slow_clients(mlpd, path, options):
    """All of them are connected inside, from begin to end."""
    slow = subprocess.Popen(["slowhttptest", "-c", str(SLOW), "-r", str(SLOW), "-l", "60", "-v", "1",
                             "-u", mlpd.url + path, *options], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: connections(mlpd) >= SLOW, "the slow connections")
        os.setpriority(os.PRIO_PROCESS, slow.pid, 19)
        yield
        assert connections(mlpd) >= SLOW and slow.poll() is None
    finally:
        slow.kill()
        slow.wait()
    wait_until(lambda: connections(mlpd) < SLOW / 100, "the end of the slow connections")


@pytest.mark.parametrize("path, options", MODES.values(), ids=MODES)
def test_slow_clients_leave_room_for_others(start, path, options):
    mlpd = start()
    mlpd.create("net", inputs=2, layers=[{"units": 64}, {"units": 2}])
    page = f"{mlpd.url}/v1/networks/net"
    shares, grown = [], 0
    memory = mlpd.memory_bytes()
    before = throughput(page)
    while len(shares) < ROUNDS or statistics.median(shares) < SHARE_MIN:
        assert len(shares) < ROUNDS_MAX, shares
        with slow_clients(mlpd, path, options):
            during = throughput(page)
            grown = max(grown, mlpd.memory_bytes() - memory)
        after = throughput(page)
        shares.append(2 * during / (before + after))
        before = after
    print(f"\n{', '.join(f'{share:.0%}' for share in shares)} of {before:,.0f} requests/s are left; "
          f"{grown >> 20} MiB more memory")
