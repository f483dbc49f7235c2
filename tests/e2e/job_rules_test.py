"""The contract's rules of jobs, each by the real program."""

import shutil

import pytest

from mlpd_process import XOR4, wait_until

SPEC = {"inputs": 2, "layers": [{"units": 3}, {"units": 2}]}
ENDLESS = {"data": XOR4, "steps": 10**8, "record_every": 10**5}


def begin(mlpd, name, **request):
    answer = mlpd.post(f"/v1/networks/{name}/train", request, headers={"Prefer": "respond-async"})
    assert answer.status == 202, answer
    return answer.json["id"]


def wait_state(mlpd, job, state):
    return wait_until(lambda: (found := mlpd.get(f"/v1/jobs/{job}").json)["state"] == state and found,
                      f"job {job} to be {state}")


@pytest.mark.parametrize("state", ["running", "queued", "paused", "succeeded"])
def test_cancel_is_idempotent_in_every_state(mlpd, state):
    mlpd.create("n", **SPEC)
    if state == "queued":
        begin(mlpd, "n", **ENDLESS)
    job = begin(mlpd, "n", **(ENDLESS if state != "succeeded" else {"data": XOR4, "steps": 5}))
    if state == "paused":
        assert mlpd.post(f"/v1/jobs/{job}/pause").status == 200
    wait_state(mlpd, job, state)
    assert mlpd.post(f"/v1/jobs/{job}/cancel").status == 200
    ended = mlpd.wait_job(job)
    assert ended["state"] == ("succeeded" if state == "succeeded" else "cancelled")
    for _ in range(2):
        again = mlpd.post(f"/v1/jobs/{job}/cancel")
        assert again.status == 200 and again.json == ended
    mlpd.kill()
    mlpd.start()
    assert mlpd.post(f"/v1/jobs/{job}/cancel").json == ended


def test_a_network_that_trains_is_deleted_only_by_force(mlpd):
    mlpd.create("n", **SPEC)
    job = begin(mlpd, "n", **ENDLESS)
    waiting = begin(mlpd, "n", **ENDLESS)
    wait_state(mlpd, job, "running")
    refused = mlpd.delete("/v1/networks/n")
    assert refused.status == 409 and refused.json["type"], refused
    assert mlpd.get(f"/v1/jobs/{job}").json["state"] == "running"
    assert mlpd.delete("/v1/networks/n?force=true").status == 204
    for path in ("/v1/networks/n", f"/v1/jobs/{job}", f"/v1/jobs/{waiting}"):
        assert mlpd.get(path).status == 404, path


def test_jobs_of_one_network_run_in_order_also_over_a_kill(mlpd):
    mlpd.create("n", **SPEC)
    lengths = [20_000, 3, 500, 40]
    ids = [begin(mlpd, "n", data=XOR4, steps=steps, record_every=1000) for steps in lengths]
    mlpd.kill()
    mlpd.start()
    jobs = [mlpd.wait_job(job) for job in ids]
    assert [job["step"] for job in jobs] == [20_000, 20_003, 20_503, 20_543]
    for before, after in zip(jobs, jobs[1:]):
        assert before["finished_at"] <= after["started_at"]
    listed = [job["id"] for job in mlpd.get("/v1/jobs?network=n").json["jobs"]]
    assert listed == ids[::-1]


def test_the_error_of_a_failed_job_is_kept_over_restarts(mlpd):
    mlpd.create("n", **SPEC)
    rows = {"generator": "xor", "rows": 20_000}  # too many to be in the journal itself
    job = begin(mlpd, "n", **ENDLESS | {"data": rows})
    assert mlpd.post(f"/v1/jobs/{job}/pause").status == 200
    wait_state(mlpd, job, "paused")
    mlpd.kill()
    shutil.rmtree(mlpd.data_dir / "data")  # what it was to learn from is gone
    mlpd.start()
    assert mlpd.post(f"/v1/jobs/{job}/resume").status == 200
    failed = mlpd.wait_job(job)
    assert failed["state"] == "failed" and failed["error"], failed
    for stop in (mlpd.kill, mlpd.stop):
        stop()
        mlpd.start()
        assert mlpd.get(f"/v1/jobs/{job}").json == failed
