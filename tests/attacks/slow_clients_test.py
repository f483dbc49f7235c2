"""slowhttptest with 1,000 slow connections while wrk plays the ordinary clients.

The share of throughput that is left is printed (`-s`); asserted is that every ordinary request is answered,
because a share depends on what else this machine does.
"""

import re
import subprocess

import pytest

MODES = {  # path and options
    "header": ("/v2", ["-H", "-i", "1"]),
    "body": ("/v1/networks/net/predict", ["-B", "-i", "1", "-s", "8192"]),
    "read": ("/openapi.json", ["-X", "-n", "1", "-w", "10", "-y", "20", "-z", "5", "-k", "3"]),
}


def throughput(url, seconds):
    """Requests a second of 16 ordinary clients; every one of them must be answered by 200."""
    run = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", "--timeout", "10s", url],
                         capture_output=True, text=True, timeout=60)
    assert "Socket errors" not in run.stdout and "Non-2xx" not in run.stdout, run.stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", run.stdout).group(1))


@pytest.mark.parametrize("path, options", MODES.values(), ids=MODES)
def test_slow_clients_leave_room_for_others(start, path, options):
    mlpd = start()
    mlpd.create("net", inputs=2, layers=[{"units": 64}, {"units": 2}])
    page = f"{mlpd.url}/v1/networks/net"
    before = throughput(page, 4)
    memory = mlpd.memory_bytes()
    slow = subprocess.Popen(["slowhttptest", "-c", "1000", "-r", "500", "-l", "20", "-v", "1", "-u",
                             mlpd.url + path, *options], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        throughput(page, 3)  # until all have come
        during = throughput(page, 4)
        grown = mlpd.memory_bytes() - memory
        assert slow.poll() is None
    finally:
        slow.kill()
        slow.wait()
    print(f"\n{during / before:.0%} of {before:,.0f} requests/s are left; {grown >> 20} MiB more memory")
    assert mlpd.get("/v2/health/ready").status == 200
