"""mlpd serve --models-dir: model documents of a read-only folder become networks at start."""

import re

import pytest

from mlpd_process import ROOT, Mlpd, wait_until


@pytest.fixture
def models(mlpd, tmp_path):
    """A folder with two documents, as another server exported them."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name, units in (("xor", 2), ("other", 3)):
        mlpd.create(name, inputs=2, layers=[{"units": units}])
        mlpd.train(name, data={"generator": "xor"}, steps=20) if units == 2 else None
        (folder / f"{name}.json").write_bytes(mlpd.get(f"/v1/networks/{name}/model").body)
    (folder / "notes.txt").write_text("not a model")
    (folder / ".hidden.json").write_text("not a model either")
    return folder


def test_documents_are_served_from_a_folder_that_cannot_be_written(mlpd, models, tmp_path):
    for path in models.iterdir():
        path.chmod(0o444)
    models.chmod(0o555)
    before = sorted(path.name for path in models.iterdir())
    server = Mlpd(tmp_path / "served", "--models-dir", str(models))
    server.folder.mkdir()
    server.start()
    try:
        names = {network["name"] for network in server.get("/v1/networks").json["networks"]}
        assert names == {"xor", "other"}
        assert server.digest("xor") == mlpd.digest("xor")
        ask = {"inputs": [{"name": "inputs", "shape": [1, 2], "datatype": "FP32", "data": [0.5, -1]}]}
        assert server.post("/v2/models/xor/infer", ask).json["outputs"] == \
            mlpd.post("/v2/models/xor/infer", ask).json["outputs"]
        # What is there stays, trained further or not; the folder is untouched.
        server.train("xor", data={"generator": "xor"}, steps=5)
        trained = server.digest("xor")
        server.restart()
        assert server.digest("xor") == trained
        assert "xor is there already" in server.log.read_text()
        assert sorted(path.name for path in models.iterdir()) == before
    finally:
        server.kill()
        models.chmod(0o755)


@pytest.mark.parametrize("name, content, says", [
    ("broken.json", "{", "broken.json: "),
    ("list.json", "[]", "list.json: "),
    ("UPPER.json", "{}", "UPPER.json: the file's name"),
])
def test_a_bad_document_ends_the_start_and_is_named(models, tmp_path, name, content, says):
    (models / name).write_text(content)
    server = Mlpd(tmp_path / "served", "--models-dir", str(models))
    server.folder.mkdir()
    server.start(wait=False)
    try:
        assert wait_until(lambda: server.process.poll() is not None, "the end")
        assert server.process.returncode != 0
        assert says in server.log.read_text(), server.log.read_text()
        assert not re.search("http://", server.output.read_text())
    finally:
        server.kill()


def test_a_folder_that_is_not_there_is_said(tmp_path):
    server = Mlpd(tmp_path, "--models-dir", str(tmp_path / "none"))
    server.start(wait=False)
    wait_until(lambda: server.process.poll() is not None, "the end")
    assert server.process.returncode != 0 and "none: No such file" in server.log.read_text()


def test_the_kserve_runtime_starts_the_program_so():
    text = (ROOT / "docker/kubernetes/kserve.yaml").read_text()
    assert "args: [serve, --models-dir, /mnt/models, --data-dir, /data]" in text
