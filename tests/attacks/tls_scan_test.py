"""TLS of the real program: sslscan finds nothing below 1.2, SIGHUP reads the certificate again."""

import re
import signal
import ssl
import subprocess
import xml.etree.ElementTree

import pytest

from mlpd_process import PROGRAM, wait_until


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                    "-days", "2", "-keyout", "key.pem", "-out", "certificate.pem"], cwd=folder, check=True,
                   capture_output=True)


@pytest.fixture
def served(tmp_path):
    """A server with a certificate of its own in tmp_path: (process, host, port)."""
    make_certificate(tmp_path)
    server = subprocess.Popen(
        [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data-dir", "data", "--tls-certificate",
         "certificate.pem", "--tls-key", "key.pem"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    line = wait_until(lambda: next((x for x in server.stdout if "https://" in x), None), "the greeting")
    host, port = re.search(r"https://([\d.]+):(\d+)", line).groups()
    yield server, host, int(port)
    server.terminate()
    assert server.wait(20) == 0


def test_sslscan_finds_nothing_below_tls_1_2(served):
    _, host, port = served
    scan = subprocess.run(["sslscan", "--xml=-", "--no-colour", f"{host}:{port}"], capture_output=True,
                          timeout=300)
    found = xml.etree.ElementTree.fromstring(scan.stdout).find("ssltest")
    enabled = {p.get("type") + p.get("version") for p in found.iter("protocol")
               if p.get("enabled") == "1"}
    assert enabled == {"tls1.2", "tls1.3"}, enabled
    ciphers = list(found.iter("cipher"))
    assert ciphers and {c.get("sslversion") for c in ciphers} == {"TLSv1.2", "TLSv1.3"}
    assert all(int(c.get("bits")) >= 128 for c in ciphers), scan.stdout
    assert {h.get("vulnerable") for h in found.iter("heartbleed")} == {"0"}
    assert all(c.get("supported") == "0" for c in found.iter("compression"))


def test_sighup_reads_the_certificate_again(served, tmp_path):
    server, host, port = served
    first = ssl.get_server_certificate((host, port))
    make_certificate(tmp_path)
    assert ssl.get_server_certificate((host, port)) == first
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: ssl.get_server_certificate((host, port)) != first, "the new certificate")
    assert ssl.get_server_certificate((host, port)) == (tmp_path / "certificate.pem").read_text()
