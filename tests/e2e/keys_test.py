"""Keys from `mlpd key` to the wire: who gets in, who doesn't, and what the logs say of it."""

import json
import os
import signal
import subprocess

from mlpd_process import PROGRAM, Mlpd, wait_until

SPEC = {"inputs": 2, "layers": [{"units": 2}]}


def run_key(data_dir, *words):
    return subprocess.run([PROGRAM, "key", *words, "--data-dir", str(data_dir)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30)


def make_key(data_dir, scope, *words):
    made = run_key(data_dir, "create", "--scope", scope, *words)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def start_with(tmp_path, *flags):
    return Mlpd(tmp_path, *flags)


def test_keys_let_in_whom_they_should(tmp_path, request):
    mlpd = start_with(tmp_path, "--log-format", "json")
    reader, trainer = make_key(mlpd.data_dir, "read"), make_key(mlpd.data_dir, "train", "--name", "ops")
    assert oct((mlpd.data_dir / "keys.json").stat().st_mode)[-3:] == "600"
    mlpd.start()
    request.addfinalizer(mlpd.kill)

    assert mlpd.get("/v2/health/live").status == 200 and mlpd.get("/openapi.json").status == 200
    stranger = mlpd.get("/v1/networks")
    assert stranger.status == 401 and stranger.headers["www-authenticate"].startswith("Bearer")
    assert mlpd.get("/v2/models/none").status in (401, 404)
    assert mlpd.get("/v1/networks", headers=bearer(trainer[:-1] + "x")).status == 401
    in_query = mlpd.get(f"/v1/networks?access_token={trainer}")
    assert in_query.status == 401 and trainer not in mlpd.log.read_text()

    assert mlpd.get("/v1/networks", headers=bearer(reader)).status == 200
    refused = mlpd.post("/v1/networks", {"name": "a", **SPEC}, headers=bearer(reader))
    assert refused.status == 403 and "train" in refused.json["detail"]
    made = mlpd.post("/v1/networks", {"name": "a", **SPEC},
                     headers={**bearer(trainer), "Traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert made.status == 201
    assert made.headers["traceparent"].startswith(f"00-{'a' * 32}-") and "b" * 16 not in str(made.headers)

    def changes():
        lines = [json.loads(line) for line in mlpd.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["message"] == "change"]

    done = wait_until(lambda: [line for line in changes() if line["outcome"] == "done"], "its line")[0]
    assert done["network"] == "a" and done["key_id"] == trainer[5:13] and done["trace_id"] == "a" * 32
    assert [line["key_id"] for line in changes() if line["outcome"] == "refused"] == [reader[5:13]]

    # SIGHUP takes the file as it is now.
    assert run_key(mlpd.data_dir, "revoke", trainer[5:13]).returncode == 0
    later = make_key(mlpd.data_dir, "admin")
    assert mlpd.get("/v1/networks", headers=bearer(later)).status == 401
    mlpd.process.send_signal(signal.SIGHUP)
    wait_until(lambda: mlpd.get("/v1/networks", headers=bearer(later)).status == 200, "the new key")
    assert mlpd.get("/v1/networks", headers=bearer(trainer)).status == 401
    os.chmod(mlpd.data_dir / "keys.json", 0o644)
    mlpd.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "chmod 600" in mlpd.log.read_text(), "the complaint")
    assert mlpd.get("/v1/networks", headers=bearer(later)).status == 200
    assert mlpd.get("/v1/networks").status == 401


def test_a_rate(tmp_path, request):
    mlpd = start_with(tmp_path)
    key = make_key(mlpd.data_dir, "read", "--requests-per-second", "0.01")
    mlpd.start()
    request.addfinalizer(mlpd.kill)
    assert mlpd.get("/v1/networks", headers=bearer(key)).status == 200
    limited = mlpd.get("/v1/networks", headers=bearer(key))
    assert limited.status == 429 and 90 < int(limited.headers["retry-after"]) <= 100


def test_a_key_opens_the_address(tmp_path):
    made = make_key(tmp_path / "data", "admin")
    server = subprocess.Popen([PROGRAM, "serve", "--listen", "0.0.0.0:0", "--data-dir", tmp_path / "data"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert "http://" in server.stdout.readline() + server.stdout.readline()
    server.terminate()
    assert server.wait(20) == 0 and made
    os.chmod(tmp_path / "data/keys.json", 0o640)
    refused = subprocess.run([PROGRAM, "serve", "--data-dir", tmp_path / "data"], capture_output=True,
                             text=True, timeout=30)
    assert refused.returncode == 1 and "chmod 600" in refused.stderr


def test_mistakes_at_the_command_line(tmp_path):
    for words, said in ((["create"], "--scope"), (["create", "--scope", "root"], "admin"),
                        (["revoke", "12345678"], "no key 12345678"), (["create", "--scop", "read"], "scop"),
                        (["create", "--scope", "read", "--requests-per-second", "0"], "requests-per-second"),
                        ([], "subcommand")):
        wrong = run_key(tmp_path, *words)
        assert wrong.returncode in (1, 2) and said in wrong.stderr, (words, wrong)
    assert not (tmp_path / "keys.json").exists()


def test_pages_of_listed_origins_may_call(start):
    origin = {"Origin": "https://a.example"}
    preflight = {**origin, "Access-Control-Request-Method": "DELETE"}
    closed = start()
    assert "access-control-allow-origin" not in closed.get("/v1/networks", headers=origin).headers
    mlpd = start("--cors-origins", "https://a.example,http://localhost:5173")
    allowed = mlpd.request("OPTIONS", "/v1/networks/a", headers=preflight)
    assert allowed.status == 204 and allowed.headers["access-control-allow-origin"] == "https://a.example"
    assert "DELETE" in allowed.headers["access-control-allow-methods"]
    for path in ("/v1/networks", "/v1/networks/none", "/no/route"):
        assert mlpd.get(path, headers=origin).headers["access-control-allow-origin"] == "https://a.example"
        other = mlpd.get(path, headers={"Origin": "https://b.example"}).headers
        assert "access-control-allow-origin" not in other and "origin" in other["vary"].lower()


def test_every_answer_is_safe_to_show(mlpd):
    for path in ("/", "/v1/networks", "/no/route"):
        headers = mlpd.get(path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "default-src" in headers["content-security-policy"]


SCOPES = ["read", "predict", "train", "admin"]


def operations(document):
    """(method, path, scope that it asks for) of every operation; scope None: public."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            needs = [entry["bearer"] for entry in operation["security"] if "bearer" in entry]
            yield method.upper(), path.replace("{network}", "net-none"), needs[0][0] if needs else None


def test_every_route_asks_for_its_scope(tmp_path, request):
    """All operations with all kinds of keys; what isn't refused for its key may fail for any other reason."""
    mlpd = start_with(tmp_path)
    keys = {scope: make_key(mlpd.data_dir, scope) for scope in SCOPES}
    elsewhere = make_key(mlpd.data_dir, "admin", "--network-prefix", "other-")
    revoked = make_key(mlpd.data_dir, "admin")
    assert run_key(mlpd.data_dir, "revoke", revoked[5:13]).returncode == 0
    mlpd.start()
    request.addfinalizer(mlpd.kill)

    def status(method, path, key=None, query=""):
        headers = {"Content-Length": "0", **(bearer(key) if key else {})}
        return mlpd.request(method, path.replace("{", "").replace("}", "") + query, headers=headers).status

    table = list(operations(mlpd.get("/openapi.json").json))
    assert len(table) > 50 and {scope for _, _, scope in table} == {None, *SCOPES}
    for method, path, needed in table:
        if needed is None:
            assert status(method, path) == 200, path
            continue
        assert status(method, path) == 401, (method, path)
        assert status(method, path, revoked) == 401, (method, path)
        assert status(method, path, keys["admin"][:-1] + "g") == 401, (method, path)
        for name in ("access_token", "anything"):
            assert status(method, path, keys["admin"], f"?{name}={keys['admin']}") == 401, (method, path)
        for scope in SCOPES:
            refused = status(method, path, keys[scope]) == 403
            assert refused == (SCOPES.index(scope) < SCOPES.index(needed)), (method, path, scope)
        if "net-none" in path:
            assert status(method, path, elsewhere) == 403, (method, path)
