"""The program's own words: flags, refusals, health, signals."""

import signal
import subprocess

from mlpd_process import PROGRAM, XOR4, wait_until


def run(*words):
    return subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30)


def test_help_version_and_mistakes():
    assert run("--version").stdout.startswith("mlpd 0.")
    assert "serve" in run().stdout and "--data-dir" in run("serve", "--help").stdout
    wrong = run("serve", "--htp-threads", "2")
    assert wrong.returncode == 2 and "did you mean --http-threads?" in wrong.stderr


def test_strangers_are_kept_out_unless_meant(tmp_path):
    refused = run("serve", "--listen", "0.0.0.0:0", "--data-dir", str(tmp_path / "d"))
    assert refused.returncode == 1
    assert "mlpd key create" in refused.stderr and "--allow-anonymous" in refused.stderr
    assert not (tmp_path / "d").exists()


def test_one_server_for_a_folder_and_for_an_address(mlpd, tmp_path):
    same_folder = run("serve", "--listen", "127.0.0.1:0", "--data-dir", str(mlpd.data_dir))
    assert same_folder.returncode == 1 and str(mlpd.data_dir) in same_folder.stderr
    same_address = run("serve", "--listen", f"127.0.0.1:{mlpd.port}", "--data-dir", str(tmp_path / "other"))
    assert same_address.returncode == 1 and str(mlpd.port) in same_address.stderr


def test_health(mlpd):
    address = f"127.0.0.1:{mlpd.port}"
    assert run("health", "--listen", address).returncode == 0
    assert mlpd.stop() == 0
    down = run("health", "--listen", address)
    assert down.returncode == 1 and address in down.stderr


def test_signals(mlpd):
    mlpd.process.send_signal(signal.SIGHUP)
    assert mlpd.get("/v2/health/live").status == 200
    mlpd.process.send_signal(signal.SIGINT)
    assert mlpd.process.wait(20) == 0


def test_a_stop_ends_those_who_wait_and_keeps_the_job(start):
    mlpd = start("--drain-deadline", "5")
    mlpd.create("net", inputs=2, layers=[{"units": 2}])
    job = mlpd.post("/v1/networks/net/train", {"data": XOR4, "steps": 10**9, "record_every": 10**6},
                    headers={"Prefer": "respond-async"}).json["id"]
    wait_until(lambda: mlpd.get(f"/v1/jobs/{job}").json["steps_done"] > 0, "a step")
    assert mlpd.stop(deadline_s=10) == 0
    mlpd.start()
    resumed = mlpd.get(f"/v1/jobs/{job}").json
    assert resumed["state"] in ("queued", "running") and resumed["steps_total"] == 10**9
    assert mlpd.post(f"/v1/jobs/{job}/cancel").status == 200
    assert mlpd.wait_job(job)["state"] == "cancelled"


def test_log_lines(start):
    mlpd = start("--log-format", "json")
    request_id = mlpd.get("/v1/networks/none").headers["x-request-id"]
    wait_until(lambda: request_id in mlpd.log.read_text(), "the request's line")
    quiet = start("--access-log", "off")
    quiet.get("/v1/networks/none")
    assert quiet.stop() == 0
    assert "request_id" not in quiet.log.read_text()


def test_the_system_says_what_runs(mlpd):
    system = mlpd.get("/v1/system").json
    assert run("--version").stdout.strip().endswith(system["version"])
    assert system["build"].split()[0] in ("g++", "clang") and system["build"].endswith(", optimized")
    assert system["instruction_set"] in ("AVX2", "AVX-512", "NEON", "oracle")
