"""KServe's InferenceRESTClient (PyPI kserve) against the real program."""

import asyncio

import httpx
import numpy as np
import pytest
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

ROWS = np.array([[1, 1], [0, 1], [3, 2]])
OUTPUTS = [[13], [11], [27]]
TYPES = {"FP64": np.float64, "FP32": np.float32, "INT64": np.int64, "INT32": np.int32, "INT16": np.int16,
         "INT8": np.int8, "UINT64": np.uint64, "UINT32": np.uint32, "UINT16": np.uint16, "UINT8": np.uint8}


def talk(mlpd, conversation):
    """Runs conversation(client, url) with a client of its own."""
    async def run():
        client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
        try:
            return await conversation(client, mlpd.url)
        finally:
            await client.close()

    return asyncio.run(run())


@pytest.fixture
def linear(mlpd):
    mlpd.create("linear", inputs=2, layers=[{"units": 1, "weights": [[2], [10]], "bias": [1]}])
    return mlpd


def test_health(linear):
    async def conversation(client, url):
        assert await client.is_server_live(url) and await client.is_server_ready(url)
        assert await client.is_model_ready(url, "linear")
        assert not await client.is_model_ready(url, "nothing")

    talk(linear, conversation)


@pytest.mark.parametrize("datatype", TYPES)
@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_infers(linear, datatype, binary):
    values = ROWS.astype(TYPES[datatype])
    given = InferInput("inputs", list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)

    async def conversation(client, url):
        return await client.infer(url, InferRequest("linear", [given], request_id="7"), model_name="linear")

    answer = talk(linear, conversation)
    assert answer.id == "7" and answer.model_name == "linear"
    np.testing.assert_array_equal(answer.outputs[0].as_numpy(), OUTPUTS)


def test_errors_reach_the_client(linear):
    async def conversation(client, url):
        body = {"inputs": [{"name": "inputs", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}
        with pytest.raises(httpx.HTTPStatusError, match="400.*|expected") as wrong:
            await client.infer(url, body, model_name="linear")
        assert wrong.value.response.status_code == 400
        with pytest.raises(httpx.HTTPStatusError) as unknown:
            await client.infer(url, body, model_name="nothing")
        assert unknown.value.response.status_code == 404

    talk(linear, conversation)
