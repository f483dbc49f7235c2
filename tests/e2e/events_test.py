"""Server-sent events: thinned records, jobs, going on after a break, gaps, closing."""

import json
import signal
import socket
import time

from mlpd_process import XOR4

DATA = {"generator": "xor"}


class Stream:
    """One event stream over a plain socket."""

    def __init__(self, mlpd, network, last_id=None, timeout_s=10):
        self.socket = socket.create_connection(("127.0.0.1", mlpd.port), timeout=timeout_s)
        last = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall(f"GET /v1/networks/{network}/events HTTP/1.0\r\nHost: x\r\n{last}\r\n".encode())
        self.text = b""
        self.read_past(b"\r\n\r\n")
        self.last_id = last_id

    def read_past(self, mark):
        while mark not in self.text:
            got = self.socket.recv(65536)
            if not got:
                return None
            self.text += got
        found, _, self.text = self.text.partition(mark)
        return found.decode()

    def next(self):
        """(event, data), or None at the end; pings and greetings are passed over."""
        while (block := self.read_past(b"\n\n")) is not None:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                return fields["event"], json.loads(fields["data"])
        return None

    def until(self, wanted):
        seen = []
        while (event := self.next()) is not None:
            seen.append(event)
            if wanted(*event):
                return seen
        raise AssertionError(f"the stream ended: {seen[-3:]}")

    def close(self):
        self.socket.close()


def succeeded(event, data):
    return event == "job" and data["state"] == "succeeded"


def train(mlpd, steps, **more):
    return mlpd.train("n", data=DATA, steps=steps, **more)


def create(mlpd):
    mlpd.create("n", inputs=2, layers=[{"units": 3}, {"units": 2}])


def test_a_job_from_its_beginning_to_its_end(mlpd):
    create(mlpd)
    stream = Stream(mlpd, "n")
    begun = time.monotonic()
    train(mlpd, 20000)
    seen = stream.until(succeeded)
    seconds = time.monotonic() - begun
    records = [data["step"] for event, data in seen if event == "record"]
    assert records[-1] == 19999  # always the last
    assert records == sorted(records) and len(records) <= 20 * seconds + 2
    assert [data["state"] for event, data in seen if event == "job"] == ["queued", "running", "succeeded"]


def test_going_on_loses_nothing(mlpd):
    create(mlpd)
    whole = Stream(mlpd, "n")
    cut = Stream(mlpd, "n")
    train(mlpd, 50)
    first = cut.until(succeeded)
    cut.close()
    for _ in range(5):
        train(mlpd, 50)
    rest = Stream(mlpd, "n", cut.last_id)
    job = mlpd.get("/v1/jobs?limit=1").json["jobs"][0]["id"]
    last = lambda event, data: succeeded(event, data) and data["id"] == job
    assert first + rest.until(last) == whole.until(last)


def test_a_gap_is_told(mlpd):
    create(mlpd)
    stream = Stream(mlpd, "n")
    train(mlpd, 5)
    stream.until(succeeded)
    stream.close()
    for _ in range(1100):  # an event each: past the ring's 1,024
        assert mlpd.post("/v1/networks/n/checkpoints").status == 201
    assert Stream(mlpd, "n", stream.last_id).next()[0] == "gap"
    mlpd.restart()  # ids of another process mean nothing here
    assert Stream(mlpd, "n", stream.last_id).next()[0] == "gap"


def test_going_back_in_time_is_a_gap(mlpd):
    create(mlpd)
    train(mlpd, 50)
    stream = Stream(mlpd, "n")
    assert mlpd.post("/v1/networks/n/restore", {"step": 20}).status == 200
    assert ("gap", {"step": 20}) in stream.until(lambda event, _: event == "gap")


def test_closing_at_stop_and_removal(mlpd):
    create(mlpd)
    streams = [Stream(mlpd, "n") for _ in range(20)]
    begun = time.monotonic()
    mlpd.process.send_signal(signal.SIGTERM)
    for stream in streams:
        assert stream.next()[0] == "closing"
        assert stream.next() is None
        stream.close()
    assert time.monotonic() - begun < 2
    assert mlpd.process.wait(20) == 0
    mlpd.start()
    stream = Stream(mlpd, "n")
    assert mlpd.delete("/v1/networks/n").status == 204
    assert stream.next()[0] == "closing"
    assert mlpd.get("/v1/networks/n/events").status == 404


def test_a_stalled_reader_harms_nobody(mlpd):
    create(mlpd)
    stalled = Stream(mlpd, "n")
    reader = Stream(mlpd, "n")
    for _ in range(20):
        train(mlpd, 10)
        reader.until(succeeded)
    assert mlpd.get("/v2/health/live").status == 200
    assert stalled.next()[0] == "job"  # what it did not read yet is there


def test_a_reader_that_stalls_is_dropped_and_the_others_get_everything(mlpd):
    create(mlpd)
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is enough to fill the way
    stalled.settimeout(60)
    stalled.connect(("127.0.0.1", mlpd.port))
    stalled.sendall(b"GET /v1/networks/n/events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert stalled.recv(64).startswith(b"HTTP/1.1 200")  # the last that it reads
    reader = Stream(mlpd, "n")
    streams = lambda: mlpd.get("/v1/system").json["event_streams"]
    assert streams() == 2
    memory = mlpd.memory_bytes()
    asleep = {"data": XOR4, "steps": 1_000_000, "pace": {"steps_per_second": 0.01}}  # others wait behind it
    train_later = lambda: mlpd.post("/v1/networks/n/train", asleep, headers={"Prefer": "respond-async"}).json
    first = train_later()["id"]
    jobs, begun = 0, time.monotonic()
    while streams() == 2:
        assert time.monotonic() - begun < 120, "the stalled reader is still there"
        job = train_later()["id"]
        assert mlpd.post(f"/v1/jobs/{job}/cancel").status == 200
        jobs += 1
        seen = reader.until(lambda event, data: data.get("id") == job and data["state"] == "cancelled")
        assert "gap" not in [event for event, _ in seen]
        assert mlpd.post("/v1/networks/n/predict", {"inputs": [0.5, -1]}).status == 200
    print(f"dropped after {jobs} jobs and {time.monotonic() - begun:.1f} s")
    grown = mlpd.memory_bytes() - memory
    print(f"memory grew by {grown >> 10} KiB")
    assert grown < 16 << 20
    assert mlpd.post(f"/v1/jobs/{first}/cancel").status == 200  # the reader goes on as before
    reader.until(lambda event, data: data.get("id") == first and data["state"] == "cancelled")
    under_way = 0
    try:
        while got := stalled.recv(65536):
            under_way += len(got)
    except ConnectionResetError:
        pass
    print(f"{under_way >> 10} KiB were under way")
    assert under_way < 512 << 10  # not the megabytes that a socket takes by itself
