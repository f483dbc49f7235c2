"""The real program in a process of its own, and a client made of the standard library alone."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("MLPD_PROGRAM", ROOT / "build/release/mlpd"))
GOLDEN = ROOT / "tests/golden"


class Answer:
    """An HTTP answer; header names in lower case."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        assert len(self.headers) == len(headers), f"a field twice: {headers}"
        self.body = body

    @property
    def json(self):
        def refuse(constant):
            raise AssertionError(f"{constant} in a JSON answer")

        return json.loads(self.body, parse_constant=refuse)

    def __repr__(self):
        return f"{self.status} {self.body[:2000]!r}"


def wait_until(probe, what, deadline_s=30):
    """Polls until probe() gives something true, which is returned."""
    end = time.monotonic() + deadline_s
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        time.sleep(0.01)


class Mlpd:
    """`mlpd serve` on a free port with its own folder. `flags` are further words of the command line."""

    def __init__(self, folder, *flags):
        self.folder = pathlib.Path(folder)
        self.flags = list(flags)
        self.process = None
        self.port = None
        self._starts = 0

    @property
    def data_dir(self):
        return self.folder / "data"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, wait=True):
        self._starts += 1
        self.output = self.folder / f"stdout-{self._starts}"
        self.log = self.folder / f"stderr-{self._starts}"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLPD_")}
        with open(self.output, "wb") as out, open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.data_dir, *self.flags],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, deadline_s=30):
        def address():
            assert self.process.poll() is None, f"mlpd ended: {self.log.read_text()}"
            return re.search(r"http://127\.0\.0\.1:(\d+)", self.output.read_text())

        self.port = int(wait_until(address, "the greeting", deadline_s).group(1))
        wait_until(lambda: self.get("/v2/health/ready").status == 200, "readiness", deadline_s)

    def stop(self, deadline_s=20):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(deadline_s)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        assert self.stop() == 0
        return self.start()

    def memory_bytes(self):
        """Resident memory, now."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    # ---- Requests ----

    def request(self, method, path, body=None, headers=None, timeout_s=60):
        """`body`: bytes or text go as they are, anything else as JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, {} if body is None else body, **more)

    def put(self, path, body, **more):
        return self.request("PUT", path, body, **more)

    def patch(self, path, body, **more):
        return self.request("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    # ---- What most tests do ----

    def create(self, name, **spec):
        answer = self.post("/v1/networks", {"name": name, **spec})
        assert answer.status == 201, answer
        return answer.json

    def train(self, name, **request):
        """Trains to the end; the finished job."""
        answer = self.post(f"/v1/networks/{name}/train", request, headers={"Prefer": "wait=60"}, timeout_s=90)
        assert answer.status == 200, answer
        return answer.json

    def digest(self, name):
        return self.get(f"/v1/networks/{name}").json["state_sha256"]

    def wait_job(self, job_id, deadline_s=60):
        def ended():
            job = self.get(f"/v1/jobs/{job_id}").json
            return job if job["state"] in ("succeeded", "failed", "cancelled") else None

        return wait_until(ended, f"the end of job {job_id}", deadline_s)


def golden(name):
    return json.loads((GOLDEN / name).read_text())


XOR4 = {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [0, 1, 1, 0]}
