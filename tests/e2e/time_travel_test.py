"""Any step of a network's life is that of a fresh run stopped there; restore, fork, checkpoints."""

import random
import statistics
import time

import pytest

from mlpd_process import wait_until

STEPS_ASKED = 200
SPEC = {"inputs": 2, "layers": [{"units": 8}, {"type": "dropout", "rate": 0.1}, {"units": 2}], "seed": 5,
        "schedule": {"type": "cosine", "steps": 9000, "minimum": 0.001}}
FIRST = {"data": {"generator": "xor"}, "batch_size": 32, "shuffle": True}
SECOND = {"data": {"generator": "moons", "rows": 200, "seed": 3}, "batch_size": 50, "shuffle": True}
PATCH = {"optimizer": {"learning_rate": 0.005}, "regularization": {"l2": 0.01}}
FIRST_STEPS, SECOND_STEPS = 6000, 4000
LAST = FIRST_STEPS + SECOND_STEPS


def live(mlpd, name, until=LAST):
    """A life with dropout, shuffling, a schedule, a PATCH and a change of data on its way, up to a step."""
    mlpd.create(name, **SPEC)
    go_on(mlpd, name, 0, until)
    return mlpd.digest(name)


def go_on(mlpd, name, done, until):
    """The same life from the step `done` on."""
    if done < min(until, FIRST_STEPS):
        mlpd.train(name, **FIRST, steps=min(until, FIRST_STEPS) - done)
    if done <= FIRST_STEPS < until:
        assert mlpd.patch(f"/v1/networks/{name}", PATCH).status == 200
    if until > max(done, FIRST_STEPS):
        mlpd.train(name, **SECOND, steps=until - max(done, FIRST_STEPS))


def at(mlpd, name, step):
    answer = mlpd.get(f"/v1/networks/{name}/model?step={step}")
    assert answer.status == 200, answer
    return answer.json["state_sha256"]


def test_200_past_steps_are_those_of_a_fresh_run(mlpd):
    """One fresh run that stops at each of them, in order; a few runs of their own that stop only there."""
    live(mlpd, "life")
    steps = random.Random(1).sample(range(LAST + 1), STEPS_ASKED - 4)
    steps += [0, FIRST_STEPS - 1, FIRST_STEPS, LAST]
    seconds, past = [], {}
    for step in steps:  # in no order
        begun = time.monotonic()
        past[step] = at(mlpd, "life", step)
        seconds.append(time.monotonic() - begun)
    mlpd.create("fresh", **SPEC)
    done = 0
    for step in sorted(past):
        go_on(mlpd, "fresh", done, step)
        assert past[step] == mlpd.digest("fresh"), f"step {step}"
        done = step
    for step in steps[:5]:
        assert past[step] == live(mlpd, f"fresh-{step}", step), f"step {step}"
    print(f"\n{len(past)} steps of {LAST} asked for; median answer "
          f"{statistics.median(seconds) * 1000:.1f} ms, longest {max(seconds) * 1000:.1f} ms")
    assert statistics.median(seconds) <= 1, seconds


def test_predict_and_trace_answer_for_a_past_step(mlpd):
    live(mlpd, "life")
    live(mlpd, "fresh", 1234)
    rows = {"inputs": [[0.5, -1], [2, 3]]}
    past = mlpd.post("/v1/networks/life/predict?step=1234", rows).json
    assert past["outputs"] == mlpd.post("/v1/networks/fresh/predict", rows).json["outputs"]
    traced = {"data": {"inputs": [[0.5, -1]], "targets": [1]}}
    past = mlpd.post("/v1/networks/life/trace?step=1234", traced).json
    assert past["layers"] == mlpd.post("/v1/networks/fresh/trace", traced).json["layers"]


@pytest.mark.parametrize("step", [FIRST_STEPS, 7200])
def test_a_fork_without_changes_ends_like_its_parent(mlpd, step):
    end = live(mlpd, "life")
    answer = mlpd.post("/v1/networks/life/fork", {"name": "branch", "step": step})
    assert answer.status == 201, answer
    assert answer.json["forked_from"] == {"network": "life", "step": step}
    assert answer.json["state_sha256"] == at(mlpd, "life", step)
    assert mlpd.delete("/v1/networks/life").status == 204  # the data goes along
    mlpd.restart()
    if step <= FIRST_STEPS:
        assert mlpd.patch("/v1/networks/branch", PATCH).status == 200
        mlpd.train("branch", **SECOND, steps=LAST - step)
    else:
        mlpd.train("branch", batch_size=50, shuffle=True, steps=LAST - step)
    assert mlpd.digest("branch") == end


def test_a_fork_takes_changes(mlpd):
    live(mlpd, "life", 500)
    answer = mlpd.post("/v1/networks/life/fork", {"step": 200, "optimizer": {"learning_rate": 0.1},
                                                  "schedule": {"type": "constant"},
                                                  "labels": {"try": "fast"}})
    assert answer.status == 201, answer
    assert answer.json["optimizer"]["learning_rate"] == 0.1
    assert answer.json["schedule"] == {"type": "constant"}
    assert answer.json["labels"] == {"try": "fast"}
    mlpd.train(answer.json["name"], steps=10)


@pytest.mark.parametrize("how", ["kill", "restart", "go on"])
def test_going_back_and_living_on(mlpd, how):
    end = live(mlpd, "life")
    early, late = at(mlpd, "life", 1000), at(mlpd, "life", 7000)
    answer = mlpd.post("/v1/networks/life/restore", {"step": 7000})
    assert answer.status == 200 and answer.json["state_sha256"] == late, answer
    if how == "kill":
        mlpd.kill()
        mlpd.start()
    elif how == "restart":
        mlpd.restart()
    assert mlpd.digest("life") == late
    assert mlpd.get("/v1/networks/life/history").json["step"] == list(range(7000))
    assert mlpd.post("/v1/networks/life/restore", {"step": 7001}).status == 404
    mlpd.train("life", batch_size=50, shuffle=True, steps=LAST - 7000)
    assert mlpd.digest("life") == end
    assert at(mlpd, "life", 1000) == early and at(mlpd, "life", 7000) == late
    assert mlpd.get("/v1/networks/life/history").json["step"] == list(range(LAST))
    assert mlpd.post("/v1/networks/life/restore", {"step": 1000}).json["state_sha256"] == early
    mlpd.kill()
    mlpd.start()
    assert mlpd.digest("life") == early


def test_no_going_back_while_a_job_runs(mlpd):
    live(mlpd, "life", 100)
    answer = mlpd.post("/v1/networks/life/train", {"steps": 100000, "pace": {"steps_per_second": 50}},
                       headers={"Prefer": "respond-async"})
    assert mlpd.post("/v1/networks/life/restore", {"step": 50}).status == 409
    assert mlpd.post("/v1/networks/life/checkpoints").status == 201  # but storing goes
    assert mlpd.post("/v1/networks/life/fork", {"name": "branch", "step": 50}).status == 201
    assert mlpd.post(f"/v1/jobs/{answer.json['id']}/cancel").status == 200
    mlpd.wait_job(answer.json["id"])
    assert mlpd.post("/v1/networks/life/restore", {"step": 50}).status == 200


def test_checkpoints_are_listed_with_what_they_take(mlpd):
    live(mlpd, "life", 300)
    saved = mlpd.post("/v1/networks/life/checkpoints").json
    assert saved["step"] == 300
    listed = mlpd.get("/v1/networks/life/checkpoints").json
    assert saved in listed["checkpoints"]
    assert listed["bytes"] == sum(c["bytes"] for c in listed["checkpoints"]) <= listed["bytes_max"]
    assert mlpd.post("/v1/networks/life/fork", {"name": "branch", "step": 200}).status == 201
    for name in ("life", "branch"):
        files = (mlpd.data_dir / "networks" / name).rglob("*")
        taken = sum(f.stat().st_size for f in files if f.is_file())
        assert mlpd.get(f"/v1/networks/{name}").json["disk_bytes"] == taken
        assert mlpd.get(f"/v1/networks/{name}/checkpoints").json["disk_bytes"] == taken
    assert (listed["step"], listed["replayable_from"]) == (300, 0)
    mlpd.restart()
    assert [c["step"] for c in mlpd.get("/v1/networks/life/checkpoints").json["checkpoints"]].count(300) >= 1


def test_a_long_replay_is_a_job(start):
    mlpd = start("--replay-ms-max", "0")
    live(mlpd, "life")
    live(mlpd, "fresh", 7654)
    for path, body, status in (("predict?step=7654", {"inputs": [0.5, -1]}, 200),
                               ("fork", {"step": 7654}, 201), ("restore", {"step": 7654}, 200)):
        answer = mlpd.post(f"/v1/networks/life/{path}", body)
        if path.startswith("predict"):
            assert answer.status == 202 and answer.json["kind"] == "replay", answer
            job = mlpd.wait_job(answer.json["id"])
            assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
            assert job["state"] == "succeeded" and job["step"] == 7654, job
            assert mlpd.get("/v1/jobs?limit=1").json["jobs"] == [job]
            answer = mlpd.post(f"/v1/networks/life/{path}", body)
        assert answer.status == status, (path, answer)
    assert mlpd.digest("life") == mlpd.digest("fresh")


def test_ttl(mlpd):
    mlpd.create("brief", **SPEC, ttl_s=1)
    names = lambda: [n["name"] for n in mlpd.get("/v1/networks").json["networks"]]
    assert "brief" in names()
    wait_until(lambda: "brief" not in names(), "the end of a network that lives one second")
