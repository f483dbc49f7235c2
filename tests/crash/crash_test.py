"""kill -9 in a storm of changes, again and again: what was acknowledged is there, nothing half-written shows.

Each storm thread owns a few names and keeps, for each, what the server acknowledged. An operation that the
kill cut off is in doubt: it happened wholly or not at all; the server's answer after the restart decides.
MLPD_CRASH_KILLS sets the number of kills, MLPD_CRASH_SEED repeats a run.
"""

import collections
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
ENDLESS = 10**8  # steps of a job that only a cancellation ends
ENDED = ("succeeded", "failed", "cancelled")
KINDS = {"create", "train", "label", "tune", "import", "delete", "fork", "restore", "checkpoint", "pause",
         "resume", "cancel", "publish", "alias", "unpublish", "upload rows", "delete rows"}
ROWS = {"rows-a": "x,y\n1,2\n3,4\n", "rows-b": "x,kind\n1,u\n2,v\n3,u\n4,v\n"}


class Cut(Exception):
    """The server was killed before it answered."""


class Life:
    """What one network was told since its creation, and what it acknowledged."""

    def __init__(self, operations, mark):
        self.operations = operations  # replayed on another server, they give the same state
        self.mark = mark  # label that tells this life and its last patch from others
        self.inherited = sum(1 for operation in operations if operation[0] == "train")
        self.jobs = {}  # id → steps
        self.paused = set()  # ids of jobs that nobody resumed
        self.digest = None  # known while no job is open
        self.step = None  # known around a restoration, which shows by nothing else
        self.checkpoints = set()  # steps
        self.versions, self.aliases, self.next_version = {}, {}, 1  # number → digest, None = not yet known

    def copy(self, **changes):
        other = Life(list(self.operations), self.mark)
        other.inherited, other.digest, other.next_version = self.inherited, self.digest, self.next_version
        other.step = self.step
        for each in ("jobs", "paused", "checkpoints", "versions", "aliases"):
            setattr(other, each, getattr(self, each).copy())
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def trains(self):
        """The body of each job of this life, in order."""
        return [body for kind, body in self.operations if kind == "train"][self.inherited:]

    def note_ends(self, jobs):
        """A cancelled job is a job of as many steps as it did."""
        for body, job in zip(self.trains(), reversed(jobs)):
            if job["state"] == "cancelled":
                body["steps"] = job["steps_done"]


class Owner(threading.Thread):
    """Changes its own networks and data sets until the server dies."""

    def __init__(self, index, seed):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.names = [f"net-{index}-{i}" for i in range(NAMES)]
        self.rows = f"rows-{index}"
        self.lives = {}  # name → Life; of the data set → the key of its content
        self.doubt = None  # (name, life if it did not happen, life if it did)
        self.acknowledged = collections.Counter()
        self.failure = None

    def attach(self, server, stop):
        fresh = Owner.__new__(Owner)
        threading.Thread.__init__(fresh, daemon=True)
        kept = ("random", "names", "rows", "lives", "acknowledged")
        fresh.__dict__.update({k: self.__dict__[k] for k in kept})
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

    def change(self, name, after, *request, ok, what, **more):
        """One request that turns the network's life into `after`; None is no network."""
        self.doubt = (name, self.lives.get(name), after)
        answer = self.call(*request, **more)
        assert answer.status in ok, (request[:2], answer)
        if after is None:
            self.lives.pop(name, None)
        else:
            self.lives[name] = after
        self.doubt = None
        self.acknowledged[what] += 1
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
        if self.random.random() < 0.05:
            return self.dataset()
        if life is None:
            parents = [other for other in self.names if other in self.lives]
            if parents and self.random.random() < 0.4:
                return self.fork(self.random.choice(parents), name)
            return self.create(name)
        choices = [self.train] * 4 + [
            self.label, self.tune, self.replace, self.delete, self.restore, self.checkpoint, self.pause,
            self.cancel, self.publish, self.publish, self.alias, self.unpublish]
        if len(life.operations) >= OPERATIONS_MAX:
            choices = [self.delete, self.replace]
        return self.random.choice(choices)(name, life)

    def mark(self):
        return f"{self.random.getrandbits(48):x}"

    def create(self, name):
        spec = {"inputs": 2, "layers": [{"units": self.random.choice([2, 8, 30])}, {"units": 2}],
                "seed": self.random.randrange(1000)}
        life = Life([("create", spec)], self.mark())
        self.change(name, life, "POST", "/v1/networks", {"name": name, **spec, "labels": {"mark": life.mark}},
                    ok=(201,), what="create")

    def train(self, name, life, steps=None):
        after = life.copy(digest=None, step=None)
        body = {"data": {"generator": "xor", "rows": self.random.choice([20, 300, 2000]),
                         "seed": self.random.randrange(3)},
                "steps": steps or self.random.choice([1, 10, 200, 3000]), "batch_size": 16, "shuffle": True}
        after.operations.append(("train", dict(body)))
        prefer = "respond-async" if steps or life.paused else self.random.choice(["respond-async", "wait=30"])
        job = self.change(name, after, "POST", f"/v1/networks/{name}/train", body, ok=(200, 202),
                          what="train", headers={"Prefer": prefer}).json
        after.jobs[job["id"]] = body["steps"]
        if prefer != "respond-async":
            assert job["state"] == "succeeded" and job["steps_done"] == body["steps"], job
        return job["id"]

    def label(self, name, life):
        after = life.copy(mark=self.mark())
        self.change(name, after, "PATCH", f"/v1/networks/{name}", {"labels": {"mark": after.mark}}, ok=(200,),
                    what="label")

    def jobs(self, name):
        return self.call("GET", f"/v1/jobs?network={name}&limit=1000").json["jobs"]

    def steer(self, name, job, how, after):
        return self.change(name, after, "POST", f"/v1/jobs/{job}/{how}", ok=(200, 409, 412), what=how)

    def wait_job(self, job, holds):
        wait_until(lambda: holds(self.call("GET", f"/v1/jobs/{job['id']}").json), f"{job} goes on",
                   120)  # trainers get what a busy machine leaves over

    def idle(self, name):
        """Resumes and cancels what would never end, and waits until no job is open; the network."""
        for job in reversed(self.jobs(name)):
            life = self.lives[name]
            if job["id"] in life.paused:
                self.steer(name, job["id"], "resume", life.copy(paused=life.paused - {job["id"]}))
            if job["state"] not in ENDED and job["steps_total"] == ENDLESS:
                self.wait_job(job, lambda now: now["steps_done"] > 0 or now["state"] in ENDED)
                self.steer(name, job["id"], "cancel", self.lives[name].copy())
            self.wait_job(job, lambda now: now["state"] in ENDED)
        self.lives[name].note_ends(self.jobs(name))
        return self.call("GET", f"/v1/networks/{name}").json

    def tune(self, name, life):
        self.idle(name)  # a change inside a job has its effect at a step that only the server knows
        after = self.lives[name].copy(mark=self.mark(), digest=None)
        body = {"optimizer": {"type": "adam", "learning_rate": self.random.choice([0.001, 0.01, 0.05])}}
        after.operations.append(("patch", body))
        self.change(name, after, "PATCH", f"/v1/networks/{name}", {**body, "labels": {"mark": after.mark}},
                    ok=(200,), what="tune")

    def replace(self, name, life):
        self.idle(name)
        model = self.call("GET", f"/v1/networks/{name}/model").json
        target = self.random.choice(self.names)
        if target in self.lives:
            self.idle(target)
        after = Life([("import", model)], self.mark())
        if target in self.lives:  # its versions stay
            old = self.lives[target]
            after = after.copy(versions=dict(old.versions), aliases=dict(old.aliases),
                               next_version=old.next_version)
        model["labels"] = {"mark": after.mark}
        model.pop("checksum", None)
        after.digest = model["state_sha256"]
        self.change(target, after, "PUT", f"/v1/networks/{target}/model", model, ok=(200, 201), what="import")

    def delete(self, name, life):
        self.change(name, None, "DELETE", f"/v1/networks/{name}?force=true", ok=(200, 204), what="delete")

    def fork(self, parent, name):
        network = self.idle(parent)
        step = self.random.randint(network["replayable_from"], network["step"])
        life = Life(self.lives[parent].operations + [("restore", {"step": step})], self.mark())
        self.change(name, life, "POST", f"/v1/networks/{parent}/fork",
                    {"name": name, "step": step, "labels": {"mark": life.mark}}, ok=(201,), what="fork")

    def restore(self, name, life):
        network = self.idle(name)
        if network["replayable_from"] == network["step"]:
            return
        step = self.random.randrange(network["replayable_from"], network["step"])
        now = self.lives[name] = self.lives[name].copy(step=network["step"])
        after = now.copy(digest=None, step=step, checkpoints={at for at in now.checkpoints if at < step})
        after.operations.append(("restore", {"step": step}))
        self.change(name, after, "POST", f"/v1/networks/{name}/restore", {"step": step}, ok=(200,),
                    what="restore")

    def checkpoint(self, name, life):
        after = life.copy()
        answer = self.change(name, after, "POST", f"/v1/networks/{name}/checkpoints", ok=(201,),
                             what="checkpoint")
        after.checkpoints.add(answer.json["step"])

    def pause(self, name, life):
        job = self.train(name, life, self.random.choice([3000, ENDLESS]))
        life = self.lives[name]
        if self.steer(name, job, "pause", life.copy(paused=life.paused | {job})).status != 200:
            self.lives[name].paused.discard(job)  # it had ended

    def cancel(self, name, life):
        self.train(name, life, ENDLESS)
        self.idle(name)

    def publish(self, name, life):
        after = life.copy(versions={**life.versions, life.next_version: None},
                          next_version=life.next_version + 1)
        version = self.change(name, after, "POST", f"/v1/networks/{name}/versions", ok=(201,),
                              what="publish").json
        assert version["version"] == life.next_version
        after.versions[version["version"]] = version["state_sha256"]

    def alias(self, name, life):
        if life.versions:
            version = self.random.choice(list(life.versions))
            self.change(name, life.copy(aliases={**life.aliases, "default": version}), "PUT",
                        f"/v1/networks/{name}/aliases/default", {"version": version}, ok=(200, 201),
                        what="alias")

    def unpublish(self, name, life):
        free = [version for version in life.versions if version not in life.aliases.values()]
        if free:
            after = life.copy()
            del after.versions[free[0]]
            self.change(name, after, "DELETE", f"/v1/networks/{name}/versions/{free[0]}", ok=(204,),
                        what="unpublish")

    def dataset(self):
        if self.rows in self.lives:
            self.change(self.rows, None, "DELETE", f"/v1/datasets/{self.rows}", ok=(204,), what="delete rows")
        else:
            content = self.random.choice(list(ROWS))
            self.change(self.rows, content, "POST", f"/v1/datasets?name={self.rows}", ROWS[content],
                        ok=(201,), what="upload rows", headers={"Content-Type": "text/csv"})


def settle(owner, server):
    """After a restart: decides the operation in doubt, then checks everything that was acknowledged."""
    for name in [*owner.names, owner.rows]:
        candidates = [owner.lives.get(name)]
        if owner.doubt and owner.doubt[0] == name:
            candidates = list(owner.doubt[1:])
        found = see_rows(server, name) if name == owner.rows else see(server, name)
        life = next((c for c in candidates if fits(c, found)), "none")
        assert life != "none", (name, found, [vars(c) if isinstance(c, Life) else c for c in candidates])
        owner.lives.pop(name, None)
        if life is None:
            continue
        owner.lives[name] = life
        if name == owner.rows:
            continue
        for job in found["jobs"]:
            life.jobs.setdefault(job["id"], job["steps_total"])
        life.versions = found["versions"]
    owner.doubt = None


def see_rows(server, name):
    answer = server.get(f"/v1/datasets/{name}/rows?format=csv")
    assert answer.status in (200, 404), answer
    return answer.status == 200 and answer.body.decode()


def see(server, name):
    """What a network shows; None where there is none."""
    answer = server.get(f"/v1/networks/{name}")
    assert answer.status in (200, 404), answer
    if answer.status == 404:
        return None
    versions = server.get(f"/v1/networks/{name}/versions").json
    checkpoints = server.get(f"/v1/networks/{name}/checkpoints").json["checkpoints"]
    return {"network": answer.json, "jobs": server.get(f"/v1/jobs?network={name}&limit=1000").json["jobs"],
            "versions": {v["version"]: v["state_sha256"] for v in versions["versions"]},
            "aliases": versions["aliases"], "checkpoints": {c["step"] for c in checkpoints}}


def fits(life, found):
    if not isinstance(life, Life):
        return found == ROWS[life] if life else not found
    if not found or found["network"]["labels"].get("mark") != life.mark:
        return False
    if life.step is not None and found["network"]["step"] != life.step:
        return False
    states = {job["id"]: job["state"] for job in found["jobs"]}
    if not (states.keys() >= life.jobs.keys() and len(states) == len(life.trains())):
        return False
    for job, state in states.items():
        if state not in ENDED and (state == "paused") != (job in life.paused):
            return False
    if found["versions"].keys() != life.versions.keys() or found["aliases"] != life.aliases:
        return False
    if any(digest and found["versions"][version] != digest for version, digest in life.versions.items()):
        return False
    return found["checkpoints"] >= life.checkpoints


def check_settled(owner, server):
    """Every accepted job ends as it should, and known digests are the digests."""
    for name in owner.names:
        life = owner.lives.get(name)
        if life is None:
            continue
        network = owner.attach(server, None).idle(name)
        life = owner.lives[name]
        for job in server.get(f"/v1/jobs?network={name}&limit=1000").json["jobs"]:
            if job["steps_total"] == ENDLESS:
                assert job["state"] == "cancelled", job
            else:
                assert job["state"] == "succeeded" and job["steps_done"] == job["steps_total"], job
        if life.digest is None:
            life.digest = network["state_sha256"]
        assert network["state_sha256"] == life.digest, name
        for version in life.versions:
            answer = server.post(f"/v1/networks/{name}/predict?version={version}", {"inputs": [1, 2]})
            assert answer.status == 200, answer


def check_folder(server):
    data = server.data_dir
    assert not list((data / "quarantine").iterdir()), server.get("/v1/system").body
    assert not list((data / "trash").iterdir())
    # Jobs that go on write checkpoints by temporary files, but none of them stays.
    wait_until(lambda: not list((data / "temporary").iterdir()), "no temporary files")
    assert not list(data.glob("*/*/*temporary*"))
    networks = {network["name"] for network in server.get("/v1/networks?limit=1000").json["networks"]}
    assert {path.name for path in (data / "networks").iterdir()} == networks
    for path in (data / "versions").iterdir():  # one file for each version, and the index
        versions = server.get(f"/v1/networks/{path.name}/versions").json["versions"]
        assert {file.name for file in path.iterdir()} == {"index.ndjson", *(f"{v['version']}.json"
                                                                          for v in versions)}


def reference_digest(server, life):
    """The same life on a server that nobody kills."""
    kind, start = life.operations[0]
    if kind == "create":
        server.create("reference", **start)
    else:
        assert server.put("/v1/networks/reference/model", start).status == 201
    for kind, body in life.operations[1:]:
        if kind == "train":
            if body["steps"]:
                server.train("reference", **body)
        elif kind == "restore":
            answer = server.post("/v1/networks/reference/restore", body)
            assert answer.status == 200, answer
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


def kill_in_a_storm(server, owners, chance):
    """One round; the owners as they are after it."""
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
    return owners


def test_nothing_acknowledged_is_lost(folders):
    seed = int(os.environ.get("MLPD_CRASH_SEED", str(random.getrandbits(32))))
    print("MLPD_CRASH_SEED", seed)
    chance = random.Random(seed)
    whole = ("--replay-ms-max", "60000")  # answers when it is done, however slow the machine
    server = folders("killed", "--training-threads", "2", *whole)
    owners = [Owner(i, chance.random()) for i in range(THREADS)]
    checked = 0
    server.start()
    for _ in range(KILLS):
        owners = kill_in_a_storm(server, owners, chance)
        if chance.random() < 0.25:  # else the next kill meets jobs still to be gone on with
            for owner in owners:
                check_settled(owner, server)
            checked += 1
    for owner in owners:
        check_settled(owner, server)
    acknowledged = sum((owner.acknowledged for owner in owners), collections.Counter())
    print("acknowledged", dict(acknowledged), "checked", checked)
    assert checked > KILLS // 10
    assert sum(acknowledged.values()) > KILLS, "the storm was too weak to show anything"
    if KILLS >= 200:
        assert acknowledged.keys() == KINDS, "some kind of change never came"
    reference = folders("uncut", *whole).start()
    compared = 0
    for owner in owners:
        for name in set(owner.names) & set(owner.lives):
            life = owner.lives[name]
            assert reference_digest(reference, life) == life.digest, (name, life.operations)
            compared += 1
    print("compared", compared)
    assert compared > 0
    assert reference.stop() == 0
    assert server.restart()
    for owner in owners:
        check_settled(owner, server)
    assert server.stop() == 0
