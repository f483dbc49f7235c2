"""The stock Triton client against the real program: HTTP, binary and JSON, sync and asyncio."""

import asyncio

import ml_dtypes
import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

ROWS = np.array([[1, 1], [0, 1], [3, 2]])
OUTPUTS = np.array([[13], [11], [27]])
NUMPY_OF = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "FP16": np.float16,
    "FP32": np.float32, "FP64": np.float64,
}


@pytest.fixture
def linear(mlpd):
    mlpd.create("linear", inputs=2, layers=[{"units": 1, "weights": [[2], [10]], "bias": [1]}])
    return mlpd


@pytest.fixture
def client(linear):
    with triton.InferenceServerClient(f"127.0.0.1:{linear.port}") as client:
        yield client


def tensor(values, datatype="FP32", name="inputs", binary=True):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def test_health_and_metadata(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("linear") and not client.is_model_ready("nothing")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("linear")
    assert metadata["inputs"] == [{"name": "inputs", "datatype": "FP32", "shape": [-1, 2]}]
    assert metadata["outputs"] == [{"name": "outputs", "datatype": "FP32", "shape": [-1, 1]}]
    assert client.get_model_config("linear")["input"][0]["data_type"] == "TYPE_FP32"


@pytest.mark.parametrize("datatype", NUMPY_OF)
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_infers_in_every_datatype(client, datatype, binary):
    if datatype == "FP16" and not binary:
        pytest.skip("the client itself has no JSON form of FP16")
    values = ROWS.astype(NUMPY_OF[datatype])
    wanted = triton.InferRequestedOutput("outputs", binary_data=binary)
    result = client.infer("linear", [tensor(values, datatype, binary=binary)], outputs=[wanted],
                          request_id="7")
    assert result.get_response()["id"] == "7"
    np.testing.assert_array_equal(result.as_numpy("outputs"), values.astype(np.float32) @ [[2], [10]] + 1)


def test_infers_bf16(client):
    result = client.infer("linear", [tensor(ROWS.astype(ml_dtypes.bfloat16), "BF16")])
    np.testing.assert_array_equal(result.as_numpy("outputs"), OUTPUTS)


def test_float64_networks_keep_their_precision(linear, client):
    linear.create("double", inputs=1, dtype="float64",
                  layers=[{"units": 1, "weights": [[0.1]], "bias": False}])
    result = client.infer("double", [tensor(np.array([[3.0]]), "FP64")])
    assert result.as_numpy("outputs").dtype == np.float64
    assert result.as_numpy("outputs")[0, 0] == 0.1 * 3


def test_answers_with_the_bits_of_predict(linear, client):
    linear.create("xor", inputs=2, layers=[{"units": 8}, {"units": 2}])
    linear.train("xor", data={"generator": "xor"}, steps=50)
    rows = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    inferred = client.infer("xor", [tensor(rows)]).as_numpy("outputs")
    predicted = linear.post("/v1/networks/xor/predict", {"inputs": rows.tolist()}).json["outputs"]
    np.testing.assert_array_equal(inferred, np.array(predicted, np.float32))


def test_classifies(linear, client):
    linear.create("three", inputs=1, layers=[{"units": 3, "weights": [[1, 3, 2]], "bias": False}],
                  loss="mean_squared_error")
    for binary in (True, False):
        wanted = triton.InferRequestedOutput("outputs", binary_data=binary, class_count=2)
        result = client.infer("three", [tensor(np.ones((1, 1), np.float32))], outputs=[wanted])
        texts = [t.decode() if isinstance(t, bytes) else t for t in result.as_numpy("outputs")[0]]
        assert [text.split(":")[1] for text in texts] == ["1", "2"]


def test_takes_raw_columns_where_a_network_has_preprocessing(linear, client):
    rows = "".join(f"{20 + i},{'f' if i % 2 else 'm'},{'yes' if i % 2 else 'no'}\n" for i in range(40))
    answer = linear.post("/v1/datasets?name=people&target=answer", "age,sex,answer\n" + rows,
                         headers={"Content-Type": "text/csv"})
    assert answer.status == 201, answer
    answer = linear.post("/v1/networks", {"name": "people", "dataset": "people", "layers": [{"units": 4}]})
    assert answer.status == 201, answer
    inputs = client.get_model_metadata("people")["inputs"]
    assert [(i["name"], i["datatype"]) for i in inputs] == [("age", "FP32"), ("sex", "BYTES")]
    given = [tensor(np.array([[31], [32]], np.float32), name="age"),
             tensor(np.array([[b"f"], [b"m"]], np.object_), "BYTES", name="sex")]
    inferred = client.infer("people", given).as_numpy("outputs")
    predicted = linear.post("/v1/networks/people/predict",
                            {"rows": [{"age": 31, "sex": "f"}, {"age": 32, "sex": "m"}]}).json["outputs"]
    np.testing.assert_array_equal(inferred, np.array(predicted, np.float32))
    wanted = triton.InferRequestedOutput("outputs", class_count=1)
    label = client.infer("people", given, outputs=[wanted]).as_numpy("outputs")[0, 0].decode().split(":")[2]
    assert label in ("yes", "no")
    with pytest.raises(InferenceServerException, match="sex"):
        client.infer("people", given[:1])


def test_repository(client):
    assert [m["name"] for m in client.get_model_repository_index()] == ["linear"]
    client.unload_model("linear")
    assert not client.is_model_ready("linear")
    assert client.get_model_repository_index()[0]["state"] == "UNAVAILABLE"
    with pytest.raises(InferenceServerException, match="not ready"):
        client.infer("linear", [tensor(ROWS.astype(np.float32))])
    client.load_model("linear")
    assert client.is_model_ready("linear")
    with pytest.raises(InferenceServerException, match="nothing"):
        client.load_model("nothing")


def test_statistics(client):
    client.infer("linear", [tensor(ROWS.astype(np.float32))])
    with pytest.raises(InferenceServerException, match=r"expected \[-1,2\]"):
        client.infer("linear", [tensor(np.ones((1, 3), np.float32))])
    for answer in (client.get_inference_statistics("linear"), client.get_inference_statistics()):
        counted = answer["model_stats"][0]
        assert (counted["inference_count"], counted["execution_count"]) == (3, 1)
        assert counted["inference_stats"]["fail"]["count"] == 1
        assert counted["inference_stats"]["compute_infer"]["ns"] > 0


def test_errors_have_their_status(client):
    with pytest.raises(InferenceServerException) as unknown:
        client.infer("nothing", [tensor(ROWS.astype(np.float32))])
    assert unknown.value.status() == "404"
    with pytest.raises(InferenceServerException) as wrong:
        client.infer("linear", [tensor(ROWS.astype(np.float32))], outputs=[triton.InferRequestedOutput("x")])
    assert wrong.value.status() == "400"


def test_asyncio(linear):
    async def talk():
        async with triton_aio.InferenceServerClient(f"127.0.0.1:{linear.port}") as client:
            assert await client.is_model_ready("linear")
            rows = tensor(ROWS.astype(np.float32))
            return await asyncio.gather(*(client.infer("linear", [rows]) for _ in range(50)))

    for result in asyncio.run(talk()):
        np.testing.assert_array_equal(result.as_numpy("outputs"), OUTPUTS)


def test_a_load_like_perf_analyzers(linear):
    """16 clients at once, 2,000 requests (perf_analyzer itself needs a newer libc than Debian 12 has)."""
    async def talk():
        async with triton_aio.InferenceServerClient(f"127.0.0.1:{linear.port}", conn_limit=16) as client:
            async def ask(first):
                for i in range(first, 2_000, 16):
                    rows = np.array([[i, 1]], np.float32)
                    result = await client.infer("linear", [tensor(rows)])
                    assert result.as_numpy("outputs")[0, 0] == 2 * i + 11

            await asyncio.gather(*(ask(first) for first in range(16)))

    asyncio.run(talk())
    with triton.InferenceServerClient(f"127.0.0.1:{linear.port}") as client:
        counted = client.get_inference_statistics("linear")["model_stats"][0]["inference_stats"]
    assert (counted["success"]["count"], counted["fail"]["count"]) == (2_000, 0)
