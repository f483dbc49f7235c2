"""kill -9 in a storm of changes, again and again: what was acknowledged is there, nothing half-written shows.

Each storm thread owns a few names and keeps, for each, what the server acknowledged. An operation that the
kill cut off is in doubt: it happened wholly or not at all; the server's answer after the restart decides.
MLPD_CRASH_KILLS sets the number of kills, MLPD_CRASH_SEED repeats a run.
"""

import os
import random
import threading
import time

import pytest

from mlpd_process import Mlpd, wait_until

KILLS = int(os.environ.get("MLPD_CRASH_KILLS", "200"))
THREADS = 4
NAMES = 3
OPERATIONS_MAX = 12  # of one network's life, so that the reference run stays short


class Cut(Exception):
    """The server was killed before it answered."""


class Life:
    """What one network was told since its creation, and what it acknowledged."""

    def __init__(self, start, mark):
        self.operations = [start]  # replayed on another server, they give the same state
        self.mark = mark  # label that tells this life and its last patch from others
        self.jobs = {}  # id → steps
        self.digest = None  # known while no job is open

    def copy(self):
        other = Life(None, self.mark)
        other.operations, other.jobs, other.digest = list(self.operations), dict(self.jobs), self.digest
        return other


class Owner(threading.Thread):
    """Changes its own networks until the server dies."""

    def __init__(self, index, seed):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.names = [f"net-{index}-{i}" for i in range(NAMES)]
        self.lives = {}  # name → Life
        self.doubt = None  # (name, life if it did not happen, life if it did)
        self.acknowledged = 0
        self.failure = None

    def attach(self, server, stop):
        fresh = Owner.__new__(Owner)
        threading.Thread.__init__(fresh, daemon=True)
        fresh.__dict__.update({k: self.__dict__[k] for k in ("random", "names", "lives", "acknowledged")})
        fresh.doubt, fresh.failure, fresh.server, fresh.stop = None, None, server, stop
        return fresh

    def call(self, *request, **more):
        try:
            return self.server.request(*request, **more)
        except OSError as failure:
            raise Cut from failure
        except Exception as failure:  # http.client's many names for a connection that broke
            if type(failure).__module__ == "http.client":
                raise Cut from failure
            raise

    def change(self, name, after, *request, ok, **more):
        """One request that turns the network's life into `after`; None is no network."""
        self.doubt = (name, self.lives.get(name), after)
        answer = self.call(*request, **more)
        assert answer.status in ok, (request[:2], answer)
        if after is None:
            self.lives.pop(name, None)
        else:
            self.lives[name] = after
        self.doubt = None
        self.acknowledged += 1
        return answer

    def run(self):
        try:
            while not self.stop.is_set():
                self.step(self.random.choice(self.names))
        except Cut:
            pass
        except BaseException as failure:  # told by the main thread
            self.failure = failure

    def step(self, name):
        life = self.lives.get(name)
        if life is None:
            return self.create(name)
        choices = [self.train, self.train, self.train, self.label, self.tune, self.replace, self.delete]
        if len(life.operations) >= OPERATIONS_MAX:
            choices = [self.delete, self.replace]
        return self.random.choice(choices)(name, life)

    def mark(self):
        return f"{self.random.getrandbits(48):x}"

    def create(self, name):
        spec = {"inputs": 2, "layers": [{"units": self.random.choice([2, 8, 30])}, {"units": 2}],
                "seed": self.random.randrange(1000)}
        life = Life(("create", spec), self.mark())
        self.change(name, life, "POST", "/v1/networks", {"name": name, **spec, "labels": {"mark": life.mark}},
                    ok=(201,))

    def train(self, name, life):
        after = life.copy()
        body = {"data": {"generator": "xor", "rows": self.random.choice([20, 300, 2000]),
                         "seed": self.random.randrange(3)},
                "steps": self.random.choice([1, 10, 200, 3000]), "batch_size": 16, "shuffle": True}
        after.operations.append(("train", body))
        after.digest = None
        prefer = self.random.choice(["respond-async", "wait=30"])
        job = self.change(name, after, "POST", f"/v1/networks/{name}/train", body, ok=(200, 202),
                          headers={"Prefer": prefer}).json
        after.jobs[job["id"]] = body["steps"]
        if prefer != "respond-async":
            assert job["state"] == "succeeded" and job["steps_done"] == body["steps"], job

    def label(self, name, life):
        after = life.copy()
        after.mark = self.mark()
        self.change(name, after, "PATCH", f"/v1/networks/{name}", {"labels": {"mark": after.mark}}, ok=(200,))

    def idle(self, name):
        """Waits until no job is open; the network."""
        def finished():
            network = self.call("GET", f"/v1/networks/{name}").json
            return network["state"] == "idle" and network
        return wait_until(finished, f"{name} idle")

    def tune(self, name, life):
        self.idle(name)  # a change inside a job has its effect at a step that only the server knows
        after = life.copy()
        after.mark = self.mark()
        body = {"optimizer": {"type": "adam", "learning_rate": self.random.choice([0.001, 0.01, 0.05])}}
        after.operations.append(("patch", body))
        after.digest = None
        self.change(name, after, "PATCH", f"/v1/networks/{name}", {**body, "labels": {"mark": after.mark}},
                    ok=(200,))

    def replace(self, name, life):
        self.idle(name)
        model = self.call("GET", f"/v1/networks/{name}/model").json
        digest = model["state_sha256"]
        target = self.random.choice(self.names)
        if target in self.lives:
            self.idle(target)
        after = Life(("import", model), self.mark())
        after.operations[0][1]["labels"] = {"mark": after.mark}
        after.operations[0][1].pop("checksum", None)
        after.digest = digest
        self.change(target, after, "PUT", f"/v1/networks/{target}/model", model, ok=(200, 201))

    def delete(self, name, life):
        self.change(name, None, "DELETE", f"/v1/networks/{name}?force=true", ok=(200, 204))


def settle(owner, server):
    """After a restart: decides the operation in doubt, then checks everything that was acknowledged."""
    for name in owner.names:
        life = owner.lives.get(name)
        answer = server.get(f"/v1/networks/{name}")
        candidates = [life]
        if owner.doubt and owner.doubt[0] == name:
            candidates = list(owner.doubt[1:])
        jobs = []
        if answer.status == 200:
            jobs = server.get(f"/v1/jobs?network={name}&limit=1000").json["jobs"]
        else:
            assert answer.status == 404, answer
        life = next((c for c in candidates if fits(c, answer, jobs)), "none")
        assert life != "none", (name, answer, jobs, [vars(c) if c else None for c in candidates])
        if life is None:
            owner.lives.pop(name, None)
            continue
        owner.lives[name] = life
        for job in jobs:
            life.jobs.setdefault(job["id"], job["steps_total"])
    owner.doubt = None


def fits(life, answer, jobs):
    if life is None:
        return answer.status == 404
    if answer.status != 200 or answer.json["labels"].get("mark") != life.mark:
        return False
    trained = sum(1 for operation in life.operations if operation[0] == "train")
    return {job["id"] for job in jobs} >= set(life.jobs) and len(jobs) == trained


def check_settled(owner, server):
    """Every accepted job ends as it should, and known digests are the digests."""
    for name, life in owner.lives.items():
        def finished():
            network = server.get(f"/v1/networks/{name}").json
            return network["state"] == "idle" and network
        network = wait_until(finished, f"{name} idle after the restart")
        for job in server.get(f"/v1/jobs?network={name}&limit=1000").json["jobs"]:
            assert job["state"] == "succeeded" and job["steps_done"] == job["steps_total"], job
        if life.digest is None:
            life.digest = network["state_sha256"]
        assert network["state_sha256"] == life.digest, name


def check_folder(server):
    data = server.data_dir
    assert not list((data / "temporary").iterdir()), "temporary files piled up"
    assert not list((data / "trash").iterdir())
    assert not list((data / "quarantine").iterdir()), server.get("/v1/system").body


def reference_digest(server, life):
    """The same life on a server that nobody kills."""
    kind, start = life.operations[0]
    if kind == "create":
        server.create("reference", **start)
    else:
        assert server.put("/v1/networks/reference/model", start).status == 201
    for kind, body in life.operations[1:]:
        if kind == "train":
            server.train("reference", **body)
        else:
            assert server.patch("/v1/networks/reference", body).status == 200
    digest = server.get("/v1/networks/reference").json["state_sha256"]
    assert server.delete("/v1/networks/reference").status in (200, 204)
    return digest


@pytest.fixture
def folders(tmp_path):
    """serve(name, *flags) → Mlpd, not started; whatever still runs at the end is killed."""
    servers = []

    def serve(name, *flags):
        folder = tmp_path / name
        folder.mkdir()
        servers.append(Mlpd(folder, *flags))
        return servers[-1]

    yield serve
    for server in servers:
        if server.process and server.process.poll() is None:
            server.kill()


def test_nothing_acknowledged_is_lost(folders):
    seed = int(os.environ.get("MLPD_CRASH_SEED", str(random.getrandbits(32))))
    print("MLPD_CRASH_SEED", seed)
    chance = random.Random(seed)
    server = folders("killed", "--training-threads", "2")
    owners = [Owner(i, chance.random()) for i in range(THREADS)]
    checked = 0
    server.start()
    for _ in range(KILLS):
        stop = threading.Event()
        owners = [owner.attach(server, stop) for owner in owners]
        for owner in owners:
            owner.start()
        time.sleep(chance.uniform(0, 0.5))  # the moment of the kill is the point
        server.kill()
        stop.set()
        for owner in owners:
            owner.join(30)
            if owner.failure:
                raise owner.failure
        server.start()
        known = {name for owner in owners for name in owner.names}
        names = {network["name"] for network in server.get("/v1/networks?limit=1000").json["networks"]}
        assert names <= known
        check_folder(server)
        for owner in owners:
            settle(owner, server)
        if chance.random() < 0.25:  # else the next kill meets jobs still to be gone on with
            for owner in owners:
                check_settled(owner, server)
            checked += 1
    for owner in owners:
        check_settled(owner, server)
    assert checked > KILLS // 10
    assert sum(owner.acknowledged for owner in owners) > KILLS, "the storm was too weak to show anything"
    reference = folders("uncut").start()
    compared = 0
    for owner in owners:
        for name, life in owner.lives.items():
            assert reference_digest(reference, life) == life.digest, (name, life.operations)
            compared += 1
    assert compared > 0
    assert reference.stop() == 0
    assert server.restart()
    for owner in owners:
        check_settled(owner, server)
    assert server.stop() == 0
    acknowledged = sum(owner.acknowledged for owner in owners)
    print("acknowledged", acknowledged, "checked", checked, "compared", compared)
