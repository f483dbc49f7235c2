"""Rows through HTTP, and of memory and start. The server has one processor to itself and wrk another."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time

import servers
from process_rows import Peer, against, benchmark

NETWORK = {"inputs": 2, "layers": [{"units": 16}, {"units": 16}, {"units": 1}], "loss": "mean_squared_error"}
ROW = '{"inputs":[[0.5,-1]]}'
WAIT = {"Prefer": "wait=30"}


def requests(table, settings):
    """hello vs nginx, predict vs hello and vs FastAPI, p99."""
    bars = {1: ((0.7, 0.85), (0.85, 0.93), (5, 7)), 16: ((0.5, 0.7), (0.85, 0.93), (8, 12)),
            64: ((0.5, 0.8), (0.85, 0.93), (8, 12))}
    with servers.mlpd("--http-threads", "1") as own, \
            servers.mlpd("--http-threads", "1", "--busy-poll-us", "100") as polling, \
            servers.nginx() as nginx, servers.fastapi("numpy") as numpy, servers.fastapi("torch") as torch:
        for server in own, polling:
            server.send("POST", "/v1/networks", dict(NETWORK, name="small"))
        asked = {"nginx": (nginx, "/", None), "hello": (own, "/v2/health/live", None),
                 "predict": (own, "/v1/networks/small/predict", ROW),
                 "polling hello": (polling, "/v2/health/live", None),
                 "polling predict": (polling, "/v1/networks/small/predict", ROW),
                 "numpy": (numpy, "/predict", ROW), "torch": (torch, "/predict", ROW)}
        for c, (to_nginx, to_hello, to_fastapi) in bars.items():
            found = {name: [] for name in asked}
            for _ in range(settings.rounds):
                for name, (server, path, body) in asked.items():
                    if c == 1 or not name.startswith("polling"):  # it is for one connection
                        found[name].append(servers.wrk(server, path, c, settings.wrk_seconds, body))
            rate(table, f"hello vs nginx, c = {c}", found, "hello", "nginx", to_nginx)
            rate(table, f"small predict vs own hello, c = {c}", found, "predict", "hello", to_hello)
            label = "small predict vs FastAPI + "
            rate(table, f"{label}NumPy, c = {c}", found, "predict", "numpy", to_fastapi)
            rate(table, f"{label}PyTorch, c = {c}", found, "predict", "torch", (None, None))
            if c == 1:
                label = "small predict, c = 1, --busy-poll-us 100, "
                rate(table, f"{label}vs hello", found, "polling predict", "polling hello", to_hello)
                rate(table, f"{label}vs FastAPI + NumPy", found, "polling predict", "numpy", to_fastapi)
        p99 = [one["p99_ms"] for one in found["predict"]]
        table.add("p99 of small predict, c = 64", p99, 5, 2, "ms", "less")
    as_started(table, settings, bars[1][2])


def as_started(table, settings, to_fastapi):
    """One connection to servers with their defaults, where nothing keeps them or wrk to a processor."""
    everywhere = servers.PROCESSORS
    with servers.mlpd(processors=everywhere) as own, servers.fastapi("numpy", everywhere) as numpy:
        own.send("POST", "/v1/networks", dict(NETWORK, name="small"))
        asked = {"predict": (own, "/v1/networks/small/predict"), "numpy": (numpy, "/predict")}
        found = {name: [] for name in asked}
        for _ in range(settings.rounds):
            for name, (server, path) in asked.items():
                found[name].append(servers.wrk(server, path, 1, settings.wrk_seconds, ROW, everywhere))
    label = "small predict vs FastAPI + NumPy, c = 1, as both start by default"
    rate(table, label, found, "predict", "numpy", to_fastapi)


def rate(table, label, found, name, peer, bars):
    def middle(who, key):
        return statistics.median(one[key] for one in found[who])

    note = (f"{middle(name, 'per_second'):,.0f}/s against {middle(peer, 'per_second'):,.0f}/s; processor "
            f"time {middle(name, 'cpu_us'):.0f} µs a request against {middle(peer, 'cpu_us'):.0f} µs")
    ratios = [a["per_second"] / b["per_second"] for a, b in zip(found[name], found[peer])]
    table.add(label, ratios, *bars, note=note)


def crowd(table, settings):
    """hello with 1,000 idle connections and 100 event streams, against hello without."""
    idle, streams, events = 1000, 100, []
    rates = {"alone": [], "among": []}
    with servers.mlpd("--http-threads", "1") as server:
        server.send("POST", "/v1/networks", network("followed", [2, 3, 2], "sigmoid"))
        server.send("POST", "/v1/networks/followed/train",
                    {"data": {"generator": "xor"}, "steps": 10**6, "record_every": 1,
                     "pace": {"steps_per_second": 5}}, {"Prefer": "respond-async"})
        for _ in range(settings.rounds):
            rates["alone"].append(servers.wrk(server, "/v2/health/live", 16, settings.wrk_seconds))
            with servers.Crowd(server, idle, streams, "followed") as others:
                before, start = others.events, time.monotonic()
                rates["among"].append(servers.wrk(server, "/v2/health/live", 16, settings.wrk_seconds))
                events.append((others.events - before) / streams / (time.monotonic() - start))
    ratios = [a["per_second"] / b["per_second"] for a, b in zip(rates["among"], rates["alone"])]
    middle = {name: statistics.median(one["per_second"] for one in found) for name, found in rates.items()}
    label = f"hello among {idle:,} idle connections and {streams} event streams : without, c = 16"
    table.add(label, ratios, 0.75, 0.95,
              note=f"{middle['among']:,.0f}/s against {middle['alone']:,.0f}/s, "
                   f"{statistics.median(events):.1f} events a second in each stream")


def train_seconds(server, network, data, steps, record_every):
    """The server's processor time for a training, from the request to the answer, per step."""
    server.send("POST", "/v1/networks", network)
    before = server.cpu_seconds()
    path = f"/v1/networks/{network['name']}"
    training = {"data": data, "steps": steps, "record_every": record_every}
    job = server.send("POST", path + "/train", training, WAIT)
    if job["state"] != "succeeded":
        raise RuntimeError(f"{steps} steps were not done after 30 s: the machine is too busy")
    spent = server.cpu_seconds() - before
    server.send("DELETE", path)
    return spent / steps


def network(name, widths, hidden, dtype="float32"):
    layers = [{"units": units, "activation": hidden} for units in widths[1:-1]] + [{"units": widths[-1]}]
    return {"name": name, "inputs": widths[0], "layers": layers, "dtype": dtype,
            "optimizer": {"type": "sgd", "learning_rate": 0.01}}


def points(rows, columns, classes):
    """Any numbers will do: time doesn't depend on them."""
    inputs = [[((r * 31 + i * 17) % 13) / 6.5 - 1 for i in range(columns)] for r in range(rows)]
    return {"inputs": inputs, "targets": [r % classes for r in range(rows)]}


def jobs(table, settings):
    """The same training through POST …/train and in process, both by processor time."""
    with servers.mlpd() as server:
        for name, widths, hidden, rows, steps, bars in (
                ("784-128-10_b64", [784, 128, 10], "relu", 64, 4000, (1.15, 1.03)),
                ("2-3-2_b300", [2, 3, 2], "sigmoid", 300, 500_000, (1.6, 1.2))):
            http, process = [], []
            for _ in range(settings.rounds):
                data = points(rows, widths[0], widths[-1])
                http.append(train_seconds(server, network("bench", widths, hidden), data, steps, 100))
                process.append(benchmark("kernels_benchmark", f"train/{name}", 0.5)["seconds"])
            table.add(f"train {name.replace('_', ' ')} through HTTP : in process",
                      [a / b for a, b in zip(http, process)], *bars, better="less",
                      note=f"{1e6 * statistics.median(http):.3g} µs a step against "
                           f"{1e6 * statistics.median(process):.3g} µs, processor time")


def article(table, settings):
    """A million full-batch steps of 2-3-2 on 50 rows through HTTP; NumPy is scaled from fewer steps."""
    with servers.mlpd() as server, Peer("numpy") as numpy:
        for dtype, floor, goal in (("float64", 40, 100), ("float32", 60, 150)):
            own, other = [], []
            for _ in range(settings.rounds):
                asked = network("article", [2, 3, 2], "sigmoid", dtype)
                own.append(train_seconds(server, asked, points(50, 2, 2), 1_000_000, 100))
                other.append(numpy.step_seconds("2-3-2_b50", max(1, settings.seconds)))
            label = f"the article's 1,000,000 steps, {dtype}, through HTTP vs NumPy"
            against(table, label, own, other, floor, goal)


def memory(table, settings):
    """The stripped binary, RSS without and with 1,000 networks, start to ready with them."""
    with tempfile.TemporaryDirectory() as home:
        stripped = f"{home}/mlpd.stripped"
        subprocess.run(["strip", "-o", stripped, servers.MLPD], check=True)
        size = os.path.getsize(stripped) / 1e6
        table.add("binary, stripped", [size], 10, 6, "MB", "less", "Debian's shared libraries not counted")
        idle, made, read, start = [], [], [], []
        with servers.mlpd(home=f"{home}/data") as server:
            idle.append(server.rss_mb())
            for i in range(1000):
                server.send("POST", "/v1/networks", dict(NETWORK, name=f"n{i}"))
            made.append(server.rss_mb())
        shutil.copytree(f"{home}/data", f"{home}/copy")
        for _ in range(settings.rounds):
            with servers.mlpd(home=f"{home}/copy") as server:
                start.append(server.ready_seconds)
                read.append(server.rss_mb())
                server.send("GET", "/v1/networks/n999")
            with servers.mlpd() as server:
                idle.append(server.rss_mb())
    table.add("idle RSS", idle, 25, 12, "MB", "less")
    table.add("RSS with 1,000 networks 2-16-16-1, just made", made, 80, 40, "MB", "less")
    table.add("RSS with 1,000 networks 2-16-16-1, after a start", read, 80, 40, "MB", "less")
    table.add("start to ready with 1,000 networks", start, 1.5, 0.3, "s", "less", "exec to the first 200")


def background(table, settings):
    """p99 of predict while one training runs and while two do, against idle, both processors for all."""
    with servers.mlpd("--training-threads", "2", processors=servers.PROCESSORS) as server:
        server.send("POST", "/v1/networks", dict(NETWORK, name="small"))
        for i in range(2):
            server.send("POST", "/v1/networks", network(f"busy{i}", [2, 256, 256, 2], "relu"))
        found = {0: [], 1: [], 2: []}  # by the number of trainings: (p99, wrk's p99)
        for _ in range(settings.rounds):
            started = []
            found[0].append(predict_p99(server, settings))
            for i in range(2):
                job = {"data": {"generator": "xor"}, "steps": 10**8, "record_every": 1000}
                started.append(server.send("POST", f"/v1/networks/busy{i}/train", job,
                                           {"Prefer": "respond-async"})["id"])
                while "queued" in states(server, started):
                    time.sleep(0.01)
                found[i + 1].append(predict_p99(server, settings))
            for job in started:
                server.send("POST", f"/v1/jobs/{job}/cancel")
            while states(server, started) & {"queued", "running"}:
                time.sleep(0.01)
        p99 = {trainings: [pair[0] for pair in pairs] for trainings, pairs in found.items()}
        wrk = {trainings: statistics.median(pair[1] for pair in pairs) for trainings, pairs in found.items()}
        idle = statistics.median(p99[0])
        for trainings, name in (1, "one training"), (2, "two trainings"):
            table.add(f"p99 of small predict, c = 4, {name} : idle",
                      [b / a for a, b in zip(p99[0], p99[trainings])], 3, 1.5, better="less",
                      note=f"{statistics.median(p99[trainings]):.3g} ms against {idle:.3g} ms; wrk's p99, of "
                           f"pauses too: {wrk[trainings]:.3g} ms against {wrk[0]:.3g} ms")


def states(server, started):
    return {server.send("GET", f"/v1/jobs/{job}")["state"] for job in started}


def predict_p99(server, settings):
    asked = (server, "/v1/networks/small/predict", 4, settings.wrk_seconds, ROW)
    return servers.answered_p99_ms(*asked), servers.wrk(*asked)["p99_ms"]
