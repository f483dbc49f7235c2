"""Monitoring as an operator has it: promtool, a real Prometheus that scrapes us, an alert that fires."""

import json
import re
import socket
import subprocess
import urllib.request

import pytest

from mlpd_process import ROOT, XOR4, wait_until

RULES = ROOT / "docker/prometheus"


def check_metrics(text):
    return subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)


def samples(text):
    """name{labels} → value"""
    lines = [line for line in text.decode().splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def use(mlpd):
    mlpd.create("net", inputs=2, layers=[{"units": 4}, {"units": 2}])
    mlpd.train("net", data=XOR4, steps=10, batch_size=4)
    assert mlpd.post("/v1/networks/net/predict", {"inputs": XOR4["inputs"]}).status == 200
    assert mlpd.get("/v1/networks/none").status == 404


def test_promtool_finds_nothing_to_blame(mlpd):
    use(mlpd)
    answer = mlpd.get("/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    checked = check_metrics(answer.body)
    assert checked.returncode == 0 and not checked.stderr, checked
    assert check_metrics(b"mlpd_bad_total 1\nmlpd_bad_total 1\n").returncode != 0  # it can fail


def test_what_happened_is_counted(mlpd):
    use(mlpd)
    ended = 'mlpd_training_jobs_ended_total{state="succeeded"}'

    def told():
        found = samples(mlpd.get("/metrics").body)
        return found if found[ended] == 1 else None

    found = wait_until(told, "the job's end")
    route = 'route="/v1/networks/{network}'
    assert found[f'mlpd_http_requests_total{{{route}/predict",method="POST",code="200"}}'] == 1
    assert found[f'mlpd_http_requests_total{{{route}",method="GET",code="404"}}'] == 1
    assert found[f'mlpd_http_request_duration_seconds_count{{{route}/train",method="POST"}}'] == 1
    assert found["mlpd_training_steps_total"] == 10
    assert found["mlpd_training_samples_total"] == 40
    assert found['mlpd_training_loss{network="net"}'] > 0
    assert found["mlpd_inference_rows_total"] == 4
    assert found['mlpd_inference_batch_rows_bucket{le="4"}'] == 1
    assert found["mlpd_networks"] == 1 and found["mlpd_ready"] == 1
    assert found["mlpd_store_commits_total"] > 0 and found["mlpd_store_bytes"] > 0
    assert found["mlpd_process_resident_memory_bytes"] > 1e6 and found["mlpd_disk_free_bytes"] > 0


def test_labels_stay_few(mlpd):
    before = len(samples(mlpd.get("/metrics").body))
    for i in range(200):
        mlpd.get(f"/no/such/path/{i}")
        mlpd.get(f"/v1/networks/none-{i}")
    assert len(samples(mlpd.get("/metrics").body)) - before < 80
    for i in range(102):
        mlpd.create(f"net-{i}", inputs=1, layers=[{"units": 1}])
        mlpd.train(f"net-{i}", data={"inputs": [[0], [1]], "targets": [0, 1]}, steps=1)
    losses = [name for name in samples(mlpd.get("/metrics").body) if name.startswith("mlpd_training_loss")]
    assert len(losses) == 100


def test_rules_are_right():
    for check, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        checked = subprocess.run(["promtool", "check", check, RULES / file], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_name_in_the_rules_is_told(mlpd):
    use(mlpd)
    told = mlpd.get("/metrics").body.decode()
    for name in set(re.findall(r"mlpd_[a-z_]+", (RULES / "alerts.yml").read_text())):
        assert re.search(rf"^{name}[ {{]", told, re.M), name


@pytest.fixture
def prometheus(mlpd, tmp_path):
    """A real one with our rules, which scrapes the server ten times a second; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hurried = re.sub(r"\[\d+m\]", "[1m]", re.sub(r"for: \d+m", "for: 0s", (RULES / "alerts.yml").read_text()))
    (tmp_path / "alerts.yml").write_text(hurried)
    config = (RULES / "prometheus.yml").read_text()
    config = re.sub(r"interval: \d+s", "interval: 100ms", config)
    config = config.replace("mlpd:8080", f"127.0.0.1:{mlpd.port}")
    (tmp_path / "prometheus.yml").write_text(config)
    with open(tmp_path / "prometheus.log", "wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


def ask(prometheus, path):
    try:
        with urllib.request.urlopen(prometheus + path, timeout=5) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def firing(prometheus):
    alerts = (ask(prometheus, "/api/v1/alerts") or {"alerts": []})["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def test_prometheus_scrapes_and_an_alert_fires(mlpd, prometheus):
    use(mlpd)

    def scraped():
        found = ask(prometheus, "/api/v1/query?query=mlpd_training_steps_total")
        return found and found["result"] and found["result"][0]["value"][1] == "10"

    wait_until(scraped, "the scraped steps")
    assert "MlpdDown" not in firing(prometheus)
    assert mlpd.stop() == 0
    wait_until(lambda: "MlpdDown" in firing(prometheus), "the alert")
