"""Event streams as real clients use them: curl, npm's eventsource, and as many as the server allows."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from mlpd_process import XOR4, wait_until

STREAMS = 1_000
EVENTSOURCE = os.environ.get("MLPD_EVENTSOURCE")  # the folder where npm put it


def create(mlpd):
    mlpd.create("n", inputs=2, layers=[{"units": 3}, {"units": 2}])


def open_stream(mlpd):
    stream = socket.create_connection(("127.0.0.1", mlpd.port), timeout=20)
    stream.sendall(b"GET /v1/networks/n/events HTTP/1.1\r\nHost: x\r\n\r\n")
    return stream


def read_until(stream, mark):
    text = b""
    while mark not in text:
        got = stream.recv(65536)
        assert got, text[-300:]
        text += got
    return text


def read_to_end(stream):
    text = b""
    while got := stream.recv(65536):
        text += got
    return text


def test_a_thousand_streams(mlpd):
    create(mlpd)
    streams = [open_stream(mlpd) for _ in range(STREAMS)]
    for stream in streams:
        assert read_until(stream, b"retry:").startswith(b"HTTP/1.1 200")
    assert mlpd.get("/v1/system").json["event_streams"] == STREAMS
    one_more = mlpd.get("/v1/networks/n/events")
    assert one_more.status == 503 and int(one_more.headers["retry-after"]) >= 1

    stalled = streams[0]  # reads nothing from here on
    slowest = 0
    for _ in range(5):
        mlpd.train("n", data=XOR4, steps=200)
        begun = time.monotonic()
        assert mlpd.post("/v1/networks/n/predict", {"inputs": [0, 1]}).status == 200
        slowest = max(slowest, time.monotonic() - begun)
    print(f"slowest prediction beside {STREAMS} streams: {slowest * 1000:.1f} ms")
    last = mlpd.get("/v1/jobs?limit=1").json["jobs"][0]["id"].encode()
    for stream in streams[1:]:
        text = read_until(stream, b'"stop_reason"')
        while not (last in text and b'"succeeded"' in text[text.rindex(last):]):
            text += stream.recv(65536)

    begun = time.monotonic()
    mlpd.process.send_signal(signal.SIGTERM)
    for stream in streams[1:]:
        assert b"event: closing" in read_to_end(stream)
        stream.close()
    took = time.monotonic() - begun
    print(f"{STREAMS} streams closed in {took * 1000:.0f} ms")
    assert took < 2
    assert mlpd.process.wait(20) == 0
    stalled.close()


def events_of(text):
    """(event, data) of complete blocks."""
    found = []
    for block in text.split("\n\n")[:-1]:
        lines = [line for line in block.splitlines() if ": " in line and line[0] != ":"]
        fields = dict(line.split(": ", 1) for line in lines)
        if "data" in fields:
            found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
    return found


def curl(mlpd, *words):
    return subprocess.Popen(["curl", "-sN", *words, f"{mlpd.url}/v1/networks/n/events"],
                            stdout=subprocess.PIPE)


def read_curl(process, jobs):
    """Until so many jobs have succeeded."""
    text = ""
    while sum(1 for event, data, _ in events_of(text)
              if event == "job" and data["state"] == "succeeded") < jobs:
        got = process.stdout.read1(65536).decode()
        assert got, text[-300:]
        text += got
    process.kill()
    process.wait()
    return events_of(text)


def test_curl_goes_on_where_it_was_cut(mlpd):
    create(mlpd)
    whole, cut = curl(mlpd), curl(mlpd)
    wait_until(lambda: mlpd.get("/v1/system").json["event_streams"] == 2, "the streams")
    mlpd.train("n", data=XOR4, steps=50)
    first = read_curl(cut, 1)
    for _ in range(3):
        mlpd.train("n", steps=50)
    rest = read_curl(curl(mlpd, "-H", f"Last-Event-ID: {first[-1][2]}"), 3)
    assert first + rest == read_curl(whole, 4)


class Cutter(threading.Thread):
    """A relay whose connections can be cut."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.target, self.open, self.passing = port, [], threading.Event()
        self.passing.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            self.passing.wait()
            server = socket.create_connection(("127.0.0.1", self.target))
            self.open += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.relay, args=(source, sink), daemon=True).start()

    @staticmethod
    def relay(source, sink):
        try:
            while got := source.recv(65536):
                sink.sendall(got)
        except OSError:
            pass

    def cut(self):
        for end in self.open:
            end.shutdown(socket.SHUT_RDWR)
        self.open = []


@pytest.mark.skipif(not EVENTSOURCE, reason="./dev test events installs eventsource")
def test_eventsource_goes_on_where_it_was_cut(mlpd, tmp_path):
    create(mlpd)
    relay = Cutter(mlpd.port)
    script = pathlib.Path(EVENTSOURCE) / "eventsource_client.mjs"  # beside node_modules, as imports want it
    script.write_text((pathlib.Path(__file__).parent / "eventsource_client.mjs").read_text())
    lines = tmp_path / "events"
    with open(lines, "wb") as out:
        client = subprocess.Popen(
            ["node", script, f"http://127.0.0.1:{relay.port}/v1/networks/n/events"], stdout=out)
    whole = curl(mlpd)

    def seen():
        whole_lines = lines.read_text().split("\n")[:-1]
        return [json.loads(line) for line in whole_lines]

    def succeeded():
        return sum(1 for event in seen() if event["type"] == "job" and event["data"]["state"] == "succeeded")

    try:
        wait_until(lambda: seen() and mlpd.get("/v1/system").json["event_streams"] == 2, "the streams")
        mlpd.train("n", data=XOR4, steps=50)
        wait_until(lambda: succeeded() == 1, "the first job")
        for jobs in (2, 3):
            relay.cut()
            mlpd.train("n", steps=50)
            wait_until(lambda: succeeded() == jobs, "the job of the break")
        got = [(event["type"], event["data"], event["lastEventId"]) for event in seen() if "data" in event]
        assert sum(1 for event in seen() if event["type"] == "open") == 3
        assert got == read_curl(whole, 3)
        relay.passing.clear()
        relay.cut()
        for _ in range(1100):  # past the ring
            assert mlpd.post("/v1/networks/n/checkpoints").status == 201
        relay.passing.set()
        wait_until(lambda: any(event["type"] == "gap" for event in seen()), "the gap")
    finally:
        client.kill()
        client.wait()
