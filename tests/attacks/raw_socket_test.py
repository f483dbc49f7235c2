"""Attacks over raw sockets on the real program: the right answer, bounded memory, health answered meanwhile.

Each stands for a way in which the HTTP library below would fall by itself. Where only code in the process can
play the fault, its test is in tests/server/http/: exceptions of handlers and gates (conversation_test),
exhausted descriptors (listener_test), bytes that OpenSSL holds back (tls_test).
"""

import ctypes
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import BODY_LIMIT
from mlpd_process import PROGRAM, Mlpd, wait_until

HIDDEN = "GET /v1/system HTTP/1.1\r\nHost: h\r\n\r\n"  # must never be answered
PREDICT = "/v1/networks/net/predict"


@pytest.fixture(scope="module")
def mlpd(tmp_path_factory):
    server = Mlpd(tmp_path_factory.mktemp("attacks"), "--body-bytes-max", str(BODY_LIMIT), "--access-log=on",
                  "--log-format", "json").start()
    server.create("net", inputs=2, layers=[{"units": 64}, {"units": 2}])
    yield server
    assert server.stop() == 0


def statuses(text):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", text)]


def post(path, fields, body=""):
    return f"POST {path} HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}"


# what → (head and body, status): then the connection is closed, and HIDDEN, which follows, has no answer
DISAGREEMENTS = {
    "length and chunked": (
        post(PREDICT, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
    "two lengths": (post(PREDICT, f"Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n"), 400),
    "the same length twice": (post(PREDICT, "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), 400),
    "a list of lengths": (post(PREDICT, "Content-Length: 2, 2\r\n", "{}"), 400),
    "length in words": (post(PREDICT, "Content-Length: abc\r\n"), 400),
    "length with a sign": (post(PREDICT, "Content-Length: +2\r\n", "{}"), 400),
    "negative length": (post(PREDICT, "Content-Length: -1\r\n"), 400),
    "hexadecimal length": (post(PREDICT, "Content-Length: 0x2\r\n", "{}"), 400),
    "length past 64 bits": (post(PREDICT, "Content-Length: 18446744073709551617\r\n"), 400),
    "blank before the colon": (post(PREDICT, "Content-Length : 2\r\n", "{}"), 400),
    "two codings": (post(PREDICT, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400),
    "hidden coding": (post(PREDICT, "Transfer-Encoding: xchunked\r\n"), 501),
    "chunked of an old client": (post(PREDICT, "Transfer-Encoding: chunked\r\n").replace("1.1", "1.0"), 400),
    "folded field": (post(PREDICT, "A: b\r\n Content-Length: 2\r\n", "{}"), 400),
    "bare line feed": ("POST /v2 HTTP/1.1\r\nHost: h\nContent-Length: 2\r\n\r\n{}", 400),
    "bad chunk size": (post(PREDICT, "Transfer-Encoding: chunked\r\n", "+2\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk without its end": (post(PREDICT, "Transfer-Encoding: chunked\r\n", "2\r\n{}XX"), 400),
    "GET with a body": (f"GET /v2 HTTP/1.1\r\nHost: h\r\nContent-Length: {len(HIDDEN)}\r\n\r\n", 413),
    "no such route": (post("/none", f"Content-Length: {len(HIDDEN)}\r\n"), 404),
    "no Host": ("GET /v2 HTTP/1.1\r\n\r\n", 400),
    "two Hosts": ("GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "NUL in a field": ("GET /v2 HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n", 400),
}


@pytest.mark.parametrize("attack, status", DISAGREEMENTS.values(), ids=DISAGREEMENTS)
def test_nothing_is_smuggled(mlpd, wire, stands, attack, status):
    with stands(mlpd):
        one = wire(mlpd)
        one.send(attack + HIDDEN)
        answer = one.rest()
        assert statuses(answer) == [status], answer
        assert b"uptime_s" not in answer and b"Connection: close" in answer


def test_nothing_is_smuggled_past_a_refused_key(tmp_path, request, wire, stands):
    locked = Mlpd(tmp_path)
    made = subprocess.run([PROGRAM, "key", "create", "--scope", "admin", "--data-dir", locked.data_dir],
                          capture_output=True, check=True)
    locked.start()
    request.addfinalizer(locked.kill)
    one = wire(locked)
    hidden = HIDDEN.replace("Host: h", "Host: h\r\nAuthorization: Bearer " + made.stdout.decode().strip())
    with stands(locked):
        one.send(post(PREDICT, f"Content-Length: {len(hidden)}\r\n") + hidden)
        assert statuses(one.rest()) == [401]


def test_a_chunked_body_ends_at_the_limit(mlpd, wire, stands):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with stands(mlpd):
        one = wire(mlpd)
        one.send(post(PREDICT, "Transfer-Encoding: chunked\r\n"))
        sent = 0
        while sent < 64 << 20 and one.send(chunk):
            sent += len(chunk)
        assert sent < 64 << 20  # it hung up long before
    one = wire(mlpd)
    one.send(post(PREDICT, "Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFF\r\n"))
    assert one.answer()[0] == 413  # the announcement alone is enough


@pytest.mark.parametrize("endless", [b"a" * 65536, b"a: b\r\n" * 10_000, b"a" * 60 + b"\r\n"],
                         ids=["a line", "fields", "lines without a colon"])
def test_an_endless_header(mlpd, wire, stands, endless):
    with stands(mlpd):
        one = wire(mlpd)
        one.send("GET /v2 HTTP/1.1\r\nHost: h\r\nX: ")
        sent = 0
        while sent < 64 << 20 and one.send(endless):
            sent += len(endless)
        assert sent < 64 << 20
    one = wire(mlpd)
    one.send(b"GET /v2 HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 20_000)
    assert one.answer()[0] == 431


def test_a_compressed_body_is_not_unpacked(mlpd, stands):
    bomb = gzip.compress(b" " * (256 << 20))
    assert len(bomb) < BODY_LIMIT
    with stands(mlpd):
        for coding in ("gzip", "deflate", "br", "identity, gzip"):
            answer = mlpd.post(PREDICT, bomb, headers={"Content-Encoding": coding})
            assert answer.status == 415, answer


@pytest.mark.parametrize("fields", ["", "Expect: 100-continue\r\n"], ids=["at once", "asks first"])
def test_a_long_body_is_refused_before_it_is_sent(mlpd, wire, stands, fields):
    with stands(mlpd):
        one = wire(mlpd)
        one.send(post(PREDICT, f"{fields}Content-Length: {BODY_LIMIT + 1}\r\n"))
        status, head, _ = one.answer()  # without a byte of the body, and no 100 before it
        assert status == 413 and head["connection"] == "close"
        assert one.rest() == b""
        one = wire(mlpd)
        one.send(post(PREDICT, f"Content-Length: {10**18}\r\n"))
        assert one.answer()[0] == 413


def test_a_body_that_asks_first_is_told_to_come(mlpd, wire):
    one = wire(mlpd)
    one.send(post(PREDICT, "Expect: 100-continue\r\nContent-Length: 16\r\n"))
    assert one.read_through(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    one.send('{"inputs":[1,2]}')
    assert one.answer()[0] == 200


def test_ranges_multiply_nothing(mlpd, stands):
    whole = mlpd.get("/openapi.json")
    many = ",".join(f"{i}-" for i in range(1000))
    with stands(mlpd):
        for _ in range(20):
            answer = mlpd.get("/openapi.json", headers={"Range": f"bytes={many}"})
            assert answer.status == 200 and answer.body == whole.body
            assert "content-range" not in answer.headers and "accept-ranges" not in answer.headers


def test_compression_costs_no_second(mlpd, stands):
    rows = json.dumps({"inputs": [[0.5, 1]] * 20_000})
    with stands(mlpd):
        for path in ("/v1/capabilities", "/openapi.json", "/v1/networks/net/model"):
            assert "content-encoding" not in mlpd.get(path, headers={"Accept-Encoding": "br, gzip"}).headers
        answer = mlpd.post(PREDICT, rows, headers={"Accept-Encoding": "br"})
        assert answer.status == 200 and "content-encoding" not in answer.headers


def test_no_exception_is_shown(mlpd):
    for path in ("/v1/networks/%80", "/v1/networks/%00", "/v1/networks/a?limit=%", "/v2/models/%F0/infer",
                 "/v1/networks/net/boundary?resolution=1e9", "/v1/networks/net/history?from_step=-1"):
        for method in ("GET", "POST", "DELETE"):
            answer = mlpd.request(method, path)
            assert 400 <= answer.status < 500, (path, answer)
            assert not [name for name in answer.headers if "exception" in name]


def test_an_address_is_not_believed(mlpd, wire):
    one = wire(mlpd)
    one.send("GET /v1/system HTTP/1.1\r\nHost: h\r\nREMOTE_ADDR: 6.6.6.6\r\nREMOTE-PORT: 1\r\n"
             "X-Forwarded-For: 6.6.6.6\r\nX-Request-Id: who-asks\r\n\r\n")
    assert one.answer()[0] == 200

    def line():
        return next((text for text in mlpd.log.read_text().splitlines() if "who-asks" in text), None)

    logged = json.loads(wait_until(line, "its line in the log"))
    assert logged["remote_address"] == "127.0.0.1"
    assert "6.6.6.6" not in mlpd.log.read_text()


def test_header_values_stay_as_they_are(mlpd):
    spec = {"inputs": 1, "layers": [{"units": 1}]}
    encoded, plain = {"Idempotency-Key": "k%41"}, {"Idempotency-Key": "kA"}
    first = mlpd.post("/v1/networks", {"name": "encoded", **spec}, headers=encoded)
    second = mlpd.post("/v1/networks", {"name": "plain", **spec}, headers=plain)
    assert (first.status, second.status) == (201, 201), (first, second)
    answer = mlpd.get("/v2", headers={"X-Request-Id": "a%0d%0aX-Evil: 1"})
    assert "x-evil" not in answer.headers and "%0d" not in answer.headers["x-request-id"]


def test_slow_clients_cost_no_worker(mlpd, wire, stands):
    with stands(mlpd):
        slow = [wire(mlpd) for _ in range(900)]
        for i, one in enumerate(slow):
            if i % 3 == 0:
                one.send("GET /v2 HTTP/1.1\r\nHost: h\r\nX: ")
            elif i % 3 == 1:
                one.send(post(PREDICT, "Content-Length: 1000\r\n", '{"inputs'))
            else:
                one.send("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n" * 50)
        for i in range(50):
            for one in slow[::3]:
                one.send("a")
            assert mlpd.post(PREDICT, {"inputs": [1, 2]}).status == 200
        assert slow[0].rest().startswith(b"HTTP/1.1 408 ")  # the header's deadline of 10 s


def test_readers_that_take_nothing(mlpd, wire, stands):
    with stands(mlpd, growth_max=64 << 20):  # the answers wait in memory, one each
        for _ in range(100):
            wire(mlpd, receive_buffer=4096).send("GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n" * 10)
        for _ in range(50):
            assert mlpd.post(PREDICT, {"inputs": [1, 2]}).status == 200


def test_pipelined_requests_are_answered_in_order(mlpd, wire, stands):
    with stands(mlpd):
        one = wire(mlpd)
        requests = []
        for i in range(200):
            body = json.dumps({"inputs": [i, i]})
            fields = f"X-Request-Id: request-{i}\r\n"
            requests.append(post(PREDICT, f"{fields}Content-Length: {len(body)}\r\n", body) if i % 2 else
                            f"GET /v2/health/live HTTP/1.1\r\nHost: h\r\n{fields}\r\n")
        one.send("".join(requests))
        for i in range(200):
            status, head, _ = one.answer()
            assert (status, head["x-request-id"]) == (200, f"request-{i}")


def test_a_form_of_any_size(mlpd, stands):
    body = json.dumps({"inputs": [[1, 2]] * 10_000})  # curl's own content type
    with stands(mlpd):
        answer = mlpd.post(PREDICT, body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200 and len(answer.json["outputs"]) == 10_000


def test_a_post_without_a_length_does_not_wait(mlpd, wire, stands):
    with stands(mlpd):
        one = wire(mlpd)
        start = time.monotonic()
        one.send(post(PREDICT, ""))
        assert one.answer()[0] == 400
        assert time.monotonic() - start < 4  # httplib alone waits for 5 s


def test_a_second_server_takes_no_port(mlpd, tmp_path):
    second = subprocess.run([PROGRAM, "serve", "--listen", f"127.0.0.1:{mlpd.port}", "--data-dir", tmp_path],
                            capture_output=True, text=True, timeout=30)
    assert second.returncode == 1 and str(mlpd.port) in second.stderr, second


def sockets_of(process):
    """Copies of a process' own sockets (pidfd_getfd)."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(process.pid)
    for fd in os.listdir(f"/proc/{process.pid}/fd"):
        if os.readlink(f"/proc/{process.pid}/fd/{fd}").startswith("socket:"):
            copy = libc.syscall(438, handle, int(fd), 0)
            if copy < 0:
                pytest.skip(f"no access to another process: {os.strerror(ctypes.get_errno())}")
            yield socket.socket(fileno=copy)
    os.close(handle)


def test_sockets_are_set_up(mlpd, wire):
    one = wire(mlpd)
    one.send("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n")
    assert one.answer()[0] == 200
    kinds = {True: 0, False: 0}
    for copy in sockets_of(mlpd.process):
        if copy.family != socket.AF_INET:
            continue
        listens = bool(copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        kinds[listens] += 1
        if listens:
            assert not copy.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        else:
            assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        copy.close()
    assert kinds[True] == 1 and kinds[False] >= 1, kinds


def test_many_can_connect_before_one_is_accepted(mlpd, wire):
    mlpd.process.send_signal(signal.SIGSTOP)
    try:
        waiting = [wire(mlpd) for _ in range(300)]  # past httplib's backlog of 5 each would wait
        for one in waiting:
            one.send("GET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n")
    finally:
        mlpd.process.send_signal(signal.SIGCONT)
    assert {one.answer()[0] for one in waiting} == {200}
