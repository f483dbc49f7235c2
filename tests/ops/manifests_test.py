"""What is handed to Compose, Kubernetes and systemd is what they take: by docker-compose, Kubernetes' own
schemas (strictly: no field that it doesn't know) and systemd-analyze. What `cmake --install` leaves runs."""

import os
import pathlib
import re
import subprocess

import kubernetes_validate
import pytest
import yaml
from mlpd_process import PROGRAM, ROOT

KUBERNETES = ROOT / "docker/kubernetes"


def check(document):
    kubernetes_validate.validate(document, "1.30", strict=True)


def documents(file):
    return list(yaml.safe_load_all((KUBERNETES / file).read_text()))


def test_compose_takes_its_file():
    shown = subprocess.run(["docker-compose", "-f", ROOT / "docker/compose.yaml", "config"],
                           capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    services = yaml.safe_load(shown.stdout)["services"]
    assert set(services) == {"mlpd", "prometheus"}
    for service in services.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for volume in service["volumes"]:
            source = pathlib.Path(volume.split(":")[0])
            assert not source.is_absolute() or source.is_file(), volume


def test_kubernetes_takes_the_deployment():
    found = documents("mlpd.yaml")
    kinds = [each["kind"] for each in found]
    assert kinds == ["PersistentVolumeClaim", "Deployment", "Service", "NetworkPolicy"]
    for each in found:
        check(each)
    deployment = found[1]
    deployment["spec"]["template"]["spec"]["containers"][0]["readOnly"] = True
    with pytest.raises(kubernetes_validate.ValidationError):  # it can fail
        check(deployment)


def test_kserve_runtime_is_a_pod():
    """KServe's own fields have no schema here; what it makes a pod of has."""
    [runtime] = documents("kserve.yaml")
    assert runtime["kind"] == "ClusterServingRuntime"
    spec = runtime["spec"]
    assert set(spec) == {"supportedModelFormats", "protocolVersions", "multiModel", "containers", "volumes"}
    assert spec["containers"][0]["name"] == "kserve-container"
    check({"apiVersion": "v1", "kind": "Pod", "metadata": runtime["metadata"],
           "spec": {"containers": spec["containers"], "volumes": spec["volumes"]}})


def test_variables_of_the_manifests_are_options():
    texts = [file.read_text() for file in (ROOT / "docker").rglob("*") if file.is_file()]
    variables = {name for text in texts for name in re.findall(r"\bMLPD_[A-Z_]+", text)}
    assert {"MLPD_LISTEN", "MLPD_KEYS"} <= variables
    told = subprocess.run([PROGRAM, "serve", "--help"], capture_output=True, text=True, timeout=30).stdout
    options = {"MLPD_" + name.upper().replace("-", "_") for name in re.findall(r"--([a-z-]+)", told)}
    assert variables <= options, variables - options


def test_systemd_takes_the_unit(tmp_path):
    unit = tmp_path / "mlpd.service"
    text = (ROOT / "docker/debian/mlpd.service").read_text()
    unit.write_text(text.replace("ExecStart=mlpd", f"ExecStart={PROGRAM}"))
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True,
                             timeout=60)
    assert checked.returncode == 0 and str(unit) not in checked.stderr, checked.stderr


def test_installed_program_runs(start, tmp_path, monkeypatch):
    installed = subprocess.run(["cmake", "--install", PROGRAM.parent], capture_output=True, text=True,
                               timeout=60, env={**os.environ, "DESTDIR": str(tmp_path)})
    assert installed.returncode == 0, installed.stderr
    root = tmp_path / "usr/local"
    for file in ("lib/systemd/system/mlpd.service", "share/doc/mlpd/README.md"):
        assert (root / file).is_file()
    monkeypatch.setattr("mlpd_process.PROGRAM", root / "bin/mlpd")
    told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, timeout=30).stdout
    assert start().get("/v1/system").json["version"] in told
