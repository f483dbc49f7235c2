"""schemathesis over all operations of /openapi.json: no 5xx, no answer that its operation does not list."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
FULL = bool(os.environ.get("MLPD_FULL_TESTS"))
# Examples of each operation, and cases that must have run: a minute, or `./dev test conformance --full`.
EXAMPLES, CASES = (350, 20_000) if FULL else (25, 2_000)
# Each share of the operations is a process of its own: generating cases is what takes the time.
SHARES = 16 if FULL else 2
SHARE_SECONDS = 3000


def without_default_answers(document):
    """`default` says of any answer that it is documented: without it, each must be listed by its number."""
    for operations in document["paths"].values():
        for operation in operations.values():
            del operation["responses"]["default"]
    return document


def operation_ids(document):
    return [operation["operationId"] for operations in document["paths"].values()
            for operation in operations.values()]


def run_share(mlpd, document, number, operations):
    """The cases that ran, and what was wrong with them."""
    output = mlpd.folder / f"schemathesis-{number}.txt"
    wanted = [word for operation in operations for word in ("--include-operation-id", operation)]
    with open(output, "w") as out:
        run = subprocess.run(
            [pathlib.Path(sys.executable).with_name("schemathesis"), "--config-file",
             HERE / "schemathesis.toml", "run", document, "--url", mlpd.url, "--max-examples", str(EXAMPLES),
             *wanted],
            stdout=out, stderr=subprocess.STDOUT, cwd=mlpd.folder, timeout=SHARE_SECONDS)
    said = output.read_text()
    cases = re.search(r"(\d+) generated", said)
    print(f"share {number}: {cases and cases.group(0)}, exit {run.returncode}", flush=True)
    wrong = "" if run.returncode == 0 and cases else f"{operations}\n{said[-20000:]}"
    return int(cases.group(1)) if cases else 0, wrong


def test_no_operation_answers_what_the_document_lacks(mlpd):
    mlpd.create("small", inputs=2, layers=[{"units": 2}])
    described = without_default_answers(mlpd.get("/openapi.json").json)
    document = mlpd.folder / "openapi.json"
    document.write_text(json.dumps(described))
    everything = operation_ids(described)
    shares = [everything[i::SHARES] for i in range(SHARES)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda i: run_share(mlpd, document, i, shares[i]), range(SHARES)))
    assert not any(wrong for _, wrong in outcomes), "\n".join(wrong for _, wrong in outcomes)
    assert sum(cases for cases, _ in outcomes) >= CASES, outcomes
    assert mlpd.get("/v2/health/ready").status == 200
