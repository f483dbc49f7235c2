"""schemathesis over all operations of /openapi.json: no 5xx, no answer that its operation does not list."""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
# Examples of each operation, and cases that must have run: a minute, or `./dev test conformance --full`.
EXAMPLES, CASES = (500, 20_000) if os.environ.get("MLPD_FULL_TESTS") else (25, 2_000)


def without_default_answers(document):
    """`default` says of any answer that it is documented: without it, each must be listed by its number."""
    for operations in document["paths"].values():
        for operation in operations.values():
            del operation["responses"]["default"]
    return document


def test_no_operation_answers_what_the_document_lacks(mlpd):
    mlpd.create("small", inputs=2, layers=[{"units": 2}])
    document = mlpd.folder / "openapi.json"
    document.write_text(json.dumps(without_default_answers(mlpd.get("/openapi.json").json)))
    output = mlpd.folder / "schemathesis.txt"
    with open(output, "w") as out:
        run = subprocess.run(
            [pathlib.Path(sys.executable).with_name("schemathesis"), "--config-file",
             HERE / "schemathesis.toml", "run", document, "--url", mlpd.url, "--max-examples", str(EXAMPLES)],
            stdout=out, stderr=subprocess.STDOUT, cwd=mlpd.folder, timeout=3000)
    said = output.read_text()
    assert run.returncode == 0, said[-20000:]
    assert int(re.search(r"(\d+) generated", said).group(1)) >= CASES, said[-2000:]
    assert mlpd.get("/v2/health/ready").status == 200
