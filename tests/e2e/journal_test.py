"""Online learning: journal, memory and restarts stay bounded; kill -9 while one is folded loses nothing."""

import http.client
import json
import random
import threading
import time

import pytest

from mlpd_process import wait_until

SPEC = {"inputs": 2, "layers": [{"units": 8}, {"units": 2}], "seed": 3}
LIMIT = 64 << 10
BOUND = ("--journal-bytes-max", "64KiB", "--finished-jobs-max", "20")


def row(i):
    return {"inputs": [[i % 7 - 3, i % 5 - 2]], "targets": [i % 2]}


def learn(mlpd, name, begin, end, after=lambda: None):
    """One call for each row, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", mlpd.port, timeout=60)
    for i in range(begin, end):
        connection.request("POST", f"/v1/networks/{name}/train", json.dumps({"data": row(i), "steps": 1}))
        answer = connection.getresponse()
        job = json.loads(answer.read())
        assert answer.status == 200 and job["state"] == "succeeded", job
        after()
    connection.close()


def journal(mlpd, name):
    return mlpd.data_dir / "networks" / name / "journal.ndjson"


def test_thousands_of_calls_with_one_row_each(start):
    calls = 2000
    free, bound = start("--journal-bytes-max", "1GiB"), start(*BOUND)
    sizes = []
    for mlpd in (free, bound):
        mlpd.create("online", **SPEC)
    learn(free, "online", 0, calls)
    learn(bound, "online", 0, 500)
    memory = bound.memory_bytes()
    learn(bound, "online", 500, calls, lambda: sizes.append(journal(bound, "online").stat().st_size))
    assert bound.digest("online") == free.digest("online")
    assert max(sizes) < 2 * LIMIT < journal(free, "online").stat().st_size / 20
    assert bound.memory_bytes() - memory < 4 << 20
    begun = time.monotonic()
    bound.restart()
    restart = time.monotonic() - begun
    assert restart < 5
    network = bound.get("/v1/networks/online").json
    assert network["state_sha256"] == free.digest("online")
    first = network["replayable_from"]
    assert calls - 200 < first < calls
    for step in (first, first + 1, calls - 1):
        past = [m.get(f"/v1/networks/online/model?step={step}").json["state_sha256"] for m in (free, bound)]
        assert past[0] == past[1], step
    assert bound.get(f"/v1/networks/online/model?step={first - 1}").status == 409
    assert len(bound.get("/v1/jobs?network=online&limit=1000").json["jobs"]) == 20
    unfolded = journal(free, "online").stat().st_size
    print(f"\n{calls} calls: journal {unfolded} B, folded {max(sizes)} B at most; memory "
          f"{free.memory_bytes() >> 10} KiB and {bound.memory_bytes() >> 10} KiB; restart {restart:.2f} s")


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_while_the_journal_is_folded(start, seed):
    choose = random.Random(seed)
    mlpd = start(*BOUND)
    mlpd.create("online", **SPEC)
    done, folds = 0, 0
    while folds < 6:
        failures = []

        def client():
            try:
                learn(mlpd, "online", done, done + 10_000, acknowledge)
            except (OSError, http.client.HTTPException):
                pass  # the kill
            except AssertionError as failure:
                failures.append(failure)

        acknowledged = [done]

        def acknowledge():
            acknowledged[0] += 1

        before = mlpd.get("/v1/networks/online").json["replayable_from"]
        thread = threading.Thread(target=client)
        thread.start()
        full = choose.choice([LIMIT - 3000, LIMIT - 500, LIMIT, LIMIT + 500])
        wait_until(lambda: journal(mlpd, "online").stat().st_size > full or not thread.is_alive(),
                   "a long journal")
        for _ in range(choose.randrange(4000)):  # somewhere in the milliseconds that folding takes
            pass
        mlpd.kill()
        thread.join()
        assert not failures, failures
        mlpd.start()
        wait_until(lambda: mlpd.get("/v1/networks/online").json["state"] == "idle", "an idle network")
        network = mlpd.get("/v1/networks/online").json
        assert acknowledged[0] <= network["step"] <= acknowledged[0] + 1
        done = network["step"]
        folds += network["replayable_from"] > before
    other = start("--journal-bytes-max", "1GiB")
    other.create("online", **SPEC)
    learn(other, "online", 0, done)
    assert other.digest("online") == mlpd.digest("online")
    assert mlpd.get("/v1/system").json["quarantined"] == []
