"""The servers that compare.py measures: started on one processor, asked by wrk from another."""

import contextlib
import json
import os
import pathlib
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
MLPD = ROOT / "build/release/mlpd"
PROCESSORS = sorted(os.sched_getaffinity(0))
NGINX = """daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error.log crit;
worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {d}/b; proxy_temp_path {d}/p;
  fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  server {{ listen 127.0.0.1:{port};
    location / {{ default_type application/json; return 200 '{{"live":true}}\\n'; }} }} }}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running server; `home` is its folder, `url` its address."""

    def __init__(self, process, url, home, ready_seconds):
        self.process, self.url, self.home, self.ready_seconds = process, url, home, ready_seconds

    def send(self, method, path, body=None, headers=None, timeout=120):
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {},
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.loads(answer.read() or "null")

    def _pids(self):
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_seconds(self):
        total = 0
        for pid in self._pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def rss_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


@contextlib.contextmanager
def running(command, port, path, home, processors):
    """Starts the command on these processors, waits until `path` answers, stops it at the end."""
    start = time.monotonic()
    process = subprocess.Popen(["taskset", "-c", ",".join(map(str, processors)), *map(str, command)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(url + path, timeout=30).read()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > start + 60:
                    raise RuntimeError(f"{command[0]} did not start")
                time.sleep(0.002)
        yield Server(process, url, home, time.monotonic() - start)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def mlpd(*options, home=None, processors=PROCESSORS[:1]):
    with tempfile.TemporaryDirectory() as temporary:
        port, folder = free_port(), home or temporary
        command = [MLPD, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", folder,
                   "--access-log", "off",
                   "--log-level", "error", *options]
        with running(command, port, "/v2/health/ready", folder, processors) as server:
            yield server


@contextlib.contextmanager
def nginx():
    with tempfile.TemporaryDirectory() as home:
        port, config = free_port(), pathlib.Path(home, "nginx.conf")
        os.chmod(home, 0o755)
        config.write_text(NGINX.format(d=home, port=port))
        with running(["/usr/sbin/nginx", "-c", config], port, "/", home, PROCESSORS[:1]) as server:
            yield server


@contextlib.contextmanager
def fastapi(library, processors=PROCESSORS[:1]):
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--app-dir", ROOT / "bench", f"fastapi_app:{library}",
               "--factory", "--port", port, "--no-access-log", "--log-level", "error"]
    with running(command, port, "/docs", None, processors) as server:
        yield server


class Crowd:
    """Others at the server while `with` lasts: idle keep-alive connections, and streams that follow a
    network's events, all read by one thread."""

    def __init__(self, server, idle, streams, network):
        port = int(server.url.rsplit(":", 1)[1])
        self.sockets, self.following, self.events, self.ended = [], selectors.DefaultSelector(), 0, False
        asked = [b"GET /v2/health/live HTTP/1.1\r\nHost: bench\r\n\r\n"] * idle
        asked += [f"GET /v1/networks/{network}/events HTTP/1.1\r\nHost: bench\r\n\r\n".encode()] * streams
        for i, request in enumerate(asked):
            connection = socket.create_connection(("127.0.0.1", port))
            self.sockets.append(connection)
            connection.sendall(request)
            if not connection.recv(4096).startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"connection {i + 1} of {len(asked)} was refused")
            if i >= idle:
                self.following.register(connection, selectors.EVENT_READ)
        self.reader = threading.Thread(target=self._read)

    def __enter__(self):
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.reader.join()
        for connection in self.sockets:
            connection.close()

    def _read(self):
        while not self.ended:
            for key, _ in self.following.select(0.1):
                self.events += key.fileobj.recv(1 << 16).count(b"event:")


def answered_p99_ms(server, path, connections, seconds, body):
    """p99 in ms of the requests that were answered: each of these connections asks again when it has its
    answer, and h2load writes down every one. (wrk's p99 is another: it adds requests that would have been
    sent during a pause, so that one pause of a hundredth of the time is its p99.)"""
    with tempfile.TemporaryDirectory() as home:
        asked, log = pathlib.Path(home, "body"), pathlib.Path(home, "log")
        asked.write_text(body)
        subprocess.run(["taskset", "-c", str(PROCESSORS[-1]), "h2load", "--h1", f"-c{connections}", "-t1",
                        f"-D{seconds}", "-d", asked, "-H", "Content-Type: application/json",
                        f"--log-file={log}", server.url + path], stdout=subprocess.DEVNULL, check=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
    refused = {status for _, status, _ in rows} - {"200"}
    if refused or len(rows) < 1000:
        raise RuntimeError(f"{len(rows)} requests, with statuses {refused or '200'}")
    return sorted(int(duration) for _, _, duration in rows)[len(rows) * 99 // 100] / 1000


def wrk(server, path, connections, seconds, body=None, processors=PROCESSORS[-1:]):
    """Requests a second, p99 in ms and the server's processor time per request in µs."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if body is not None:
            script.write(f"wrk.method = 'POST'\nwrk.body = '{body}'\n"
                         "wrk.headers['Content-Type'] = 'application/json'\n")
            script.flush()
        cpu = server.cpu_seconds()
        text = subprocess.run(["taskset", "-c", ",".join(map(str, processors)), "wrk", "-t1",
                               f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name,
                               server.url + path], capture_output=True, text=True, check=True).stdout
        cpu = server.cpu_seconds() - cpu
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    requests = int(re.search(r"(\d+) requests in", text)[1])
    return {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
            "p99_ms": float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit],
            "cpu_us": 1e6 * cpu / max(1, requests)}
