"""What the attacks share: a raw socket, and the proof that the server stood an attack."""

import contextlib
import socket
import statistics
import threading
import time

import pytest

BODY_LIMIT = 1 << 20
GROWTH_MAX = (16 << 20) + BODY_LIMIT
HEALTH_S = 0.1


class Wire:
    """A connection that sends exactly what it is told; every wait ends after 30 s."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))

    def send(self, data):
        """False where the server has hung up."""
        try:
            self.socket.sendall(data if isinstance(data, bytes) else data.encode())
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def read_through(self, mark):
        data = b""
        while not data.endswith(mark):
            byte = self.socket.recv(1)
            assert byte, data
            data += byte
        return data

    def answer(self):
        """(status, header fields in lower case, body) of one answer with a Content-Length."""
        lines = self.read_through(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:-2])}
        body, size = b"", int(fields.get("content-length", 0))
        while len(body) < size:
            piece = self.socket.recv(size - len(body))
            assert piece, lines
            body += piece
        return int(lines[0].split()[1]), fields, body

    def rest(self):
        """All bytes up to the end of the connection."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65536):
                data += piece
        return data

    def close(self):
        self.socket.close()


class Watch(threading.Thread):
    """Asks /v2/health/live and looks at the memory, again and again."""

    def __init__(self, mlpd):
        super().__init__(daemon=True)
        self.mlpd = mlpd
        self.ended = threading.Event()
        self.latencies, self.memory_peak, self.fault = [], mlpd.memory_bytes(), None

    def look(self):
        start = time.monotonic()
        status = self.mlpd.get("/v2/health/live", timeout_s=30).status
        self.latencies.append(time.monotonic() - start)
        assert status == 200
        self.memory_peak = max(self.memory_peak, self.mlpd.memory_bytes())

    def run(self):
        try:
            self.look()
            while not self.ended.wait(0.01):
                self.look()
        except Exception as fault:  # told to the test's own thread
            self.fault = fault


@pytest.fixture
def stands():
    """`with stands(mlpd):` holds the attack inside to its cost: memory, and health within 100 ms. The median
    of many looks, because this machine may be busy with something else at any one of them."""

    @contextlib.contextmanager
    def watched(mlpd, growth_max=GROWTH_MAX):
        before = mlpd.memory_bytes()
        watch = Watch(mlpd)
        watch.start()
        try:
            yield
        finally:
            watch.ended.set()
            watch.join()
        assert watch.fault is None, watch.fault
        assert watch.memory_peak - before <= growth_max, (watch.memory_peak - before) >> 20
        assert statistics.median(watch.latencies) < HEALTH_S, watch.latencies

    return watched


@pytest.fixture
def wire():
    """wire(server) → an open Wire; all are closed with the test."""
    open_ones = []

    def connect(mlpd, **options):
        open_ones.append(Wire(mlpd.port, **options))
        return open_ones[-1]

    yield connect
    for one in open_ones:
        one.close()
