"""schemathesis over all operations of GET /openapi.json: no 5xx and no answer that the document lacks."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def test_no_operation_answers_what_the_document_lacks(mlpd):
    mlpd.create("small", inputs=2, layers=[{"units": 2}])
    run = subprocess.run(
        [pathlib.Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml",
         "run", f"{mlpd.url}/openapi.json", "--max-time", "90"],
        capture_output=True, text=True, cwd=mlpd.folder, timeout=280)
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr
    assert mlpd.get("/v2/health/ready").status == 200
