"""SIGTERM: readiness says no before anything else ends, whoever waits is answered, the exit code is 0."""

import http.client
import signal
import threading

from mlpd_process import XOR4, wait_until


def test_readiness_ends_first_and_whoever_waits_is_answered(mlpd):
    mlpd.create("net", inputs=2, layers=[{"units": 4}, {"units": 1}])
    answers, readiness = [], []

    def train():
        answers.append(mlpd.post("/v1/networks/net/train", {
            "data": XOR4, "steps": 1_000_000, "pace": {"steps_per_second": 100}},
            headers={"Prefer": "wait=50"}))

    def ask():
        try:
            while True:
                readiness.append(mlpd.get("/v2/health/ready").status)
        except (OSError, http.client.HTTPException):
            pass  # the listener is gone

    waiting = [threading.Thread(target=train)] + [threading.Thread(target=ask) for _ in range(4)]
    for thread in waiting:
        thread.start()
    wait_until(lambda: mlpd.get("/v1/networks/net").json["state"] == "training", "its job")
    mlpd.process.send_signal(signal.SIGTERM)
    assert mlpd.process.wait(20) == 0
    for thread in waiting:
        thread.join()
    assert answers[0].status == 202, answers
    assert set(readiness) <= {200, 503}
    mlpd.start()  # the job goes on where it was cut off
    job = mlpd.get(answers[0].headers["location"]).json
    assert job["state"] in ("queued", "running") and job["steps_total"] == 1_000_000
    mlpd.post(f"/v1/jobs/{job['id']}/cancel")
