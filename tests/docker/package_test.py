"""The Debian package as an administrator has it: on a Debian whose init is systemd, installed, configured,
run as the unit says, upgraded, removed, purged."""

import json
import time

import pytest
from mlpd_process import wait_until

ADDRESS = "127.0.0.1:18082"  # of the host: the test engine has no network of its own
SYSTEMD = """FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -y -q --no-install-recommends curl systemd
RUN systemctl mask getty.target systemd-logind systemd-networkd systemd-resolved sys-kernel-debug.mount
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd"]
"""
# All that systemd needs to set up the unit's sandbox, where not every capability is to be had.
INIT = ["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--security-opt", "seccomp=unconfined",
        "--security-opt", "apparmor=unconfined", "--security-opt", "systempaths=unconfined",
        "--tmpfs", "/run", "--tmpfs", "/tmp", "-v", "/sys/fs/cgroup:/sys/fs/cgroup"]
INSTALL = "apt-get install -y -q --no-install-recommends --reinstall /root/mlpd.deb"


@pytest.fixture
def machine(docker, build, tmp_path):
    """machine(command): runs a shell command there as root; its output."""
    maker = docker("create", build("build"), "true")
    docker("cp", f"{maker}:/mlpd/out/mlpd.deb", str(tmp_path / "mlpd.deb"))
    docker("rm", maker)
    docker("build", "--network", "host", "-t", "systemd", "-", input=SYSTEMD, timeout_s=600)
    box = docker("run", "-d", "--network", "host", *INIT, "systemd")
    docker("cp", str(tmp_path / "mlpd.deb"), f"{box}:/root/mlpd.deb")

    def run(command, timeout_s=60):
        return docker("exec", box, "bash", "-euc", command, timeout_s=timeout_s)

    wait_until(lambda: run("systemctl is-system-running || :") == "running", "systemd", 60)
    yield run
    docker("rm", "-f", box)


def test_package_lives_its_life(machine):
    def curl(path, *options):
        """(status, body)"""
        text = machine(" ".join(["curl -s -w '\\n%{http_code}'", *options, f"http://{ADDRESS}{path}"]))
        body, status = text.rsplit("\n", 1)
        return int(status), body

    def ready():
        return "200" in machine(f"curl -s -w '%{{http_code}}' http://{ADDRESS}/v2/health/ready || :")

    machine(f"echo MLPD_LISTEN={ADDRESS} >/etc/default/mlpd")
    machine(f"apt-get update -q && {INSTALL}", timeout_s=300)
    wait_until(ready, "the service")
    assert machine("mlpd --version").startswith("mlpd ")
    assert machine("systemd-analyze verify mlpd.service 2>&1") == ""
    assert machine("systemctl is-enabled mlpd") == "enabled"
    assert machine("stat -c %u /proc/$(systemctl show -P MainPID mlpd)") not in ("", "0")
    spec = json.dumps({"name": "my", "inputs": 2, "layers": [{"units": 2}]})
    assert curl("/v1/networks", f"-d '{spec}'")[0] == 201

    key = machine("mlpd key create --data-dir /var/lib/mlpd --scope read 2>/dev/null")
    machine("systemctl reload mlpd")
    wait_until(lambda: curl("/v1/networks/my")[0] == 401, "the key file in force")
    assert curl("/v1/networks/my", f"-H 'Authorization: Bearer {key}'")[0] == 200

    machine(INSTALL, timeout_s=300)  # an upgrade
    wait_until(ready, "the service")
    assert curl("/v1/networks/my", f"-H 'Authorization: Bearer {key}'")[0] == 200

    begin = time.monotonic()
    machine("systemctl stop mlpd")
    assert time.monotonic() - begin < 5
    assert machine("systemctl show -P Result mlpd") == "success"
    assert machine("systemctl show -P ExecMainStatus mlpd") == "0"
    machine("systemctl start mlpd")
    wait_until(ready, "the service")

    machine("apt-get remove -y -q mlpd", timeout_s=120)
    assert not ready()
    assert "mlpd" not in machine("ls /usr/bin /lib/systemd/system")
    assert machine("ls /var/lib/mlpd/")
    machine("apt-get purge -y -q mlpd", timeout_s=120)
    assert "mlpd" not in machine("ls /var/lib /var/lib/private /etc/systemd/system/multi-user.target.wants")
