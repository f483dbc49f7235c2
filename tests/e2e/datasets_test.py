"""From a CSV file to predictions of raw rows, by curl; the torture table; memory while rows stream in."""

import http.client
import json
import random
import subprocess

import pytest

FLOWERS = "sepal length,petal width,colour,species\n" + "".join(
    f"{4 + 1.5 * (r % 3) + random.Random(r).gauss(0, 0.2):.2f},{0.2 + 0.8 * (r % 3)},"
    f"{('red', 'blue')[r // 3 % 2]},{('setosa', 'versicolor', 'virginica')[r % 3]}\n" for r in range(150))

CSV = {"Content-Type": "text/csv"}


def curl(*words):
    ran = subprocess.run(["curl", "-sS", *words], check=True, capture_output=True, timeout=60)
    return json.loads(ran.stdout)


def upload(mlpd, query, rows, headers=None):
    return mlpd.request("POST", f"/v1/datasets?{query}", rows, CSV if headers is None else headers)


def stream(mlpd, path, pieces, size):
    """Sends a body of `size` bytes piece by piece; status and JSON of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", mlpd.port, timeout=600)
    connection.request("POST", path, pieces, {**CSV, "Content-Length": str(size)})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def user_rows(count):
    """Rows of columns id, a, b, text and y."""
    rows = (f"user-{i},{i * 0.37:.4f},{i % 89},some text {i % 5},{i % 3}\n" for i in range(count))
    return "".join(rows).encode()


def peak_memory(mlpd):
    status = open(f"/proc/{mlpd.process.pid}/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_curl_uploads_trains_and_predicts_raw_rows(mlpd, tmp_path):
    file = tmp_path / "iris.csv"
    file.write_text(FLOWERS)
    # The shortest call: no content type, the last column is the target.
    dataset = curl(f"{mlpd.url}/v1/datasets?name=iris", "--data-binary", f"@{file}")
    assert dataset["rows"] == 150 and dataset["target"] == "species"
    assert [c["type"] for c in dataset["columns"]] == ["number", "number", "category", "label"]
    assert curl(f"{mlpd.url}/v1/networks", "-d", '{"name":"iris","dataset":"iris"}')["inputs"] == 4
    job = curl(f"{mlpd.url}/v1/networks/iris/train", "-d",
               '{"dataset":"iris","steps":400,"validation":{"fraction":0.2}}')
    assert job["state"] == "succeeded" and job["metrics"]["accuracy"] >= 0.98
    rows = [{"sepal length": 4, "petal width": 0.2, "colour": "red"},
            {"colour": "blue", "sepal length": "7", "petal width": 1.8}]
    answer = curl(f"{mlpd.url}/v1/networks/iris/predict", "-d", json.dumps({"rows": rows}))
    assert answer["classes"] == ["setosa", "virginica"]
    raw = "petal width,colour,sepal length\n0.2,red,4\n1.8,blue,7\n"
    assert mlpd.request("POST", "/v1/networks/iris/predict", raw, CSV).json == answer
    evaluation = mlpd.post("/v1/networks/iris/evaluate", {"dataset": "iris", "part": "validation"}).json
    assert evaluation["rows"] == 30 and evaluation["metrics"]["accuracy"] >= 0.9
    mlpd.kill()
    mlpd.start()
    assert mlpd.post("/v1/networks/iris/predict", {"rows": rows}).json == answer
    assert mlpd.get("/v1/datasets/iris").json == dataset
    assert mlpd.delete("/v1/datasets/iris").status == 409
    assert mlpd.delete("/v1/datasets/iris?force=true").status == 204
    assert mlpd.train("iris", steps=10)["step"] == 410, "the rows are kept by content"


def test_numbers_are_predicted_in_their_own_units(mlpd):
    rows = "x,y\n" + "".join(f"{x},{1000 + 30 * x}\n" for x in range(100))
    assert upload(mlpd, "name=line", rows).status == 201
    mlpd.create("line", dataset="line", layers=[{"units": 8}])
    mlpd.train("line", dataset="line", steps=1500)
    answer = mlpd.post("/v1/networks/line/predict", {"rows": [{"x": 50}]}).json
    assert abs(answer["outputs"][0][0] - 2500) < 40


def test_the_built_in_data_set_is_the_article_s(mlpd):
    view = mlpd.get("/v1/datasets/article-xor").json
    assert view["rows"] == 300 and view["read_only"]
    assert mlpd.delete("/v1/datasets/article-xor").status == 403
    mlpd.create("xor", inputs=2, layers=[{"units": 8}, {"units": 2}])
    assert mlpd.train("xor", dataset="article-xor", steps=1500)["metrics"]["accuracy"] >= 0.99


GOOD = {
    "quotes": ('a,y\n"1","say ""hi"""\n2,b\n3,b\n', 3, {"a": 1, "y": 'say "hi"'}),
    "embedded line breaks": ('t,y\n"x\ny",1\nz,2\n', 2, {"t": "x\ny", "y": 1}),
    "byte order mark and CRLF": ("\ufeffa,y\r\n1,2\r\n3,4\r\n", 2, {"a": 1, "y": 2}),
    "one column": ("y\n1\n2\n3.5\n", 3, {"y": 1}),
    "formula cells": ("t,y\n=1+1,1\n@x,2\n", 2, {"t": "=1+1", "y": 1}),
    "semicolons": ("a;y\n1;2\n3;4.5\n", 2, {"a": 1, "y": 2}),
    "no header": ("1,2\n3,4\n5,6.5\n", 3, {"x1": 1, "x2": 2}),
}


@pytest.mark.parametrize("name", GOOD)
def test_odd_csv_is_read_right(mlpd, name):
    text, rows, first = GOOD[name]
    answer = upload(mlpd, "name=odd", text)
    assert answer.status == 201, answer
    assert answer.json["rows"] == rows and answer.json["preview"][0] == first


BAD = {
    "ragged": (b"a,y\n1,2\n3\n4,5,6\n", ["#/lines/3", "#/lines/4"]),
    "non-numeric": (b"a,y\n1,2\n2,3\nthree,4\n4,5\n", ["#/lines/4/a"]),
    "empty": (b"", ["#/lines/1"]),
    "only a header": (b"a,b\n", ["#/rows"]),
    "invalid UTF-8": (b"a,y\nK\xf6ln,1\n", ["#/lines/2"]),
    "open quote": (b'a,y\n1,2\n"3,4\n', ["#/lines/3"]),
    "doubled column": (b"a,a\n1,2\n", ["#/lines/1/a"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_csv_is_refused_by_line(mlpd, name):
    body, pointers = BAD[name]
    answer = upload(mlpd, "name=bad", body)
    assert answer.status == 422, answer
    assert [error["pointer"] for error in answer.json["errors"]] == pointers
    assert mlpd.get("/v1/datasets/bad").status == 404


def test_ten_thousand_columns(mlpd):
    header = ",".join(f"c{i}" for i in range(10_000)) + ",y\n"
    rows = "".join(",".join(str((i * r) % 97) for i in range(10_000)) + f",{r % 2}\n" for r in range(20))
    answer = upload(mlpd, "name=wide", header + rows)
    assert answer.status == 201 and len(answer.json["columns"]) == 10_001
    mlpd.create("wide", dataset="wide", layers=[{"units": 2}])
    assert mlpd.train("wide", dataset="wide", steps=5)["steps_done"] == 5


def test_a_million_rows(mlpd):
    block = "".join(f"{i % 211},{i % 2}\n" for i in range(10_000)).encode()
    head = b"x,y\n"
    pieces = (part for part in [head, *[block] * 100])
    status, view = stream(mlpd, "/v1/datasets?name=long", pieces, len(head) + 100 * len(block))
    assert status == 201 and view["rows"] == 1_000_000
    page = mlpd.get("/v1/datasets/long/rows?cursor=999999").json
    assert page == {"rows": [{"x": 9_999 % 211, "y": "1"}]}


def test_memory_is_bounded_while_64_mb_stream_in(mlpd):
    before = mlpd.memory_bytes()
    head, block = b"id,a,b,text,y\n", user_rows(20_000)
    count = 64 * 2**20 // len(block)
    pieces = (part for part in [head, *[block] * count])
    status, view = stream(mlpd, "/v1/datasets?name=big", pieces, len(head) + count * len(block))
    assert status == 201, view
    assert view["rows"] == 20_000 * count
    assert peak_memory(mlpd) - before < 128 * 2**20


def test_a_cut_upload_leaves_nothing(mlpd):
    connection = http.client.HTTPConnection("127.0.0.1", mlpd.port, timeout=20)
    connection.putrequest("POST", "/v1/datasets?name=cut")
    connection.putheader("Content-Type", "text/csv")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(b"a,y\n1,2\n" * 1000)
    connection.close()
    assert mlpd.get("/v1/datasets/cut").status == 404
    assert upload(mlpd, "name=cut", "a,y\n1,2\n3,4\n").status == 201


def test_a_body_past_the_limit_is_refused(start):
    mlpd = start("--dataset-body-bytes-max", "4096")
    assert upload(mlpd, "name=fits", "a,y\n" + "1,2\n" * 1000).status == 201
    assert upload(mlpd, "name=past", "a,y\n" + "1,2\n" * 1100).status == 413
