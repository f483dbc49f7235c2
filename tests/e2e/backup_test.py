"""GET /v1/backup: an archive made amid changes, unpacked, is a folder with all that was acknowledged."""

import http.client
import io
import json
import tarfile
import threading

from mlpd_process import Mlpd, wait_until

SPEC = {"inputs": 2, "layers": [{"units": 4}, {"units": 2}]}


def names(server):
    found, cursor = [], ""
    while True:
        page = server.get(f"/v1/networks?limit=1000&cursor={cursor}").json
        found += [network["name"] for network in page["networks"]]
        if not (cursor := page.get("next_cursor", "")):
            return found


def test_a_backup_in_a_storm_has_everything_acknowledged(mlpd, tmp_path):
    rows = "a,b,c\n" + "".join(f"{i % 7},{i % 5},{'yes' if i % 2 else 'no'}\n" for i in range(4000))
    csv = {"Content-Type": "text/csv"}
    assert mlpd.post("/v1/datasets?name=table&target=c", rows, headers=csv).status == 201
    mlpd.create("big", dataset="table", layers=[{"units": 300}])
    mlpd.train("big", dataset="table", steps=30)
    assert mlpd.post("/v1/networks/big/versions").status == 201
    assert mlpd.put("/v1/networks/big/aliases/default", {"version": 1}).status == 201
    job = mlpd.post("/v1/networks/big/train", {"steps": 100_000, "checkpoint_every": 50},
                    headers={"Prefer": "respond-async"}).json
    stop, acknowledged = threading.Event(), []

    def storm():
        i = 0
        while not stop.is_set():
            mlpd.create(f"n{i}", seed=i, **SPEC)
            mlpd.train(f"n{i}", data={"generator": "moons", "rows": 500, "seed": i}, steps=3)
            acknowledged.append((f"n{i}", mlpd.digest(f"n{i}")))
            if i % 3 == 2:
                assert mlpd.delete(f"/v1/networks/n{i - 2}").status == 204
            i += 1

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        while len(acknowledged) < 12:
            thread.join(0.02)
            assert thread.is_alive()
        gone = {f"n{i - 2}" for i in range(len(acknowledged) + 3) if i % 3 == 2}
        before = [(name, digest) for name, digest in list(acknowledged) if name not in gone]
        answer = mlpd.get("/v1/backup")
    finally:
        stop.set()
        thread.join()
    assert answer.status == 200 and answer.headers["content-type"] == "application/x-tar"
    mlpd.post(f"/v1/jobs/{job['id']}/cancel")
    folder = tmp_path / "restored"
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
        archive.extractall(folder / "data")
    restored = Mlpd(folder, "--training-threads", "1")
    assert (folder / "data").is_dir() and restored.data_dir == folder / "data"
    restored.start()
    try:
        assert restored.get("/v1/system").json["quarantined"] == []
        there = names(restored)
        for name, digest in before:
            assert name in there and restored.digest(name) == digest
        assert "big" in there
        state = restored.get(f"/v1/jobs/{job['id']}").json["state"]
        assert state in ("queued", "running")
        assert restored.post(f"/v1/jobs/{job['id']}/cancel").status == 200
        assert restored.wait_job(job["id"])["state"] == "cancelled"
        assert restored.get("/v1/datasets/table").json["rows"] == 4000
        versions = restored.get("/v1/networks/big/versions").json
        assert versions["aliases"] == {"default": 1} and versions["versions"][0]["version"] == 1
    finally:
        restored.stop()


def test_one_at_a_time_and_a_client_that_leaves_harms_nobody(mlpd):
    mlpd.create("wide", inputs=1000, layers=[{"units": 1000}, {"units": 2}])
    mlpd.train("wide", data={"inputs": [[0] * 1000, [1] * 1000], "targets": [0, 1]}, steps=2,
               checkpoint_every=1)
    slow = http.client.HTTPConnection("127.0.0.1", mlpd.port, timeout=30)
    slow.request("GET", "/v1/backup")
    first = slow.getresponse()
    assert first.status == 200 and first.read(512)  # and then no more: it waits for room
    second = mlpd.get("/v1/backup")
    assert second.status == 409 and json.loads(second.body)["type"].endswith("conflict")
    assert mlpd.get("/v2/health/live").status == 200
    first.close()
    wait_until(lambda: mlpd.get("/v1/backup").status == 200, "a backup after the one that was left", 20)
