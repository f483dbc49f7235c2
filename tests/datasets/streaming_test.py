"""A gigabyte of CSV streamed in: memory stays under the stated bound (docs/datasets.md)."""

import time

from datasets_test import peak_memory, stream, user_rows
from mlpd_process import Mlpd

GIGABYTE = 10**9
MEMORY_BYTES_MAX = 128 * 2**20


def test_memory_is_bounded_while_a_gigabyte_streams_in(tmp_path):
    mlpd = Mlpd(tmp_path).start()
    before = mlpd.memory_bytes()
    head, block = b"id,a,b,text,y\n", user_rows(50_000)
    count = GIGABYTE // len(block) + 1
    began = time.monotonic()
    pieces = (part for part in [head, *[block] * count])
    status, view = stream(mlpd, "/v1/datasets?name=big", pieces, len(head) + count * len(block))
    seconds = time.monotonic() - began
    grown = peak_memory(mlpd) - before
    print(f"\n1 GB, {view['rows']} rows in {seconds:.1f} s, {grown / 2**20:.0f} MiB more memory at the peak")
    assert status == 201, view
    assert view["rows"] == 50_000 * count
    assert grown < MEMORY_BYTES_MAX
    page = mlpd.get(f"/v1/datasets/big/rows?cursor={view['rows'] - 1}").json
    assert page["rows"][0]["id"] == "user-49999"
    assert mlpd.stop() == 0
