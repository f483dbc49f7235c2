"""lbfgs and levenberg_marquardt end where SciPy's BFGS ends (tests/golden/make_scipy_goldens.py)."""

import json
import pathlib

import pytest

CASES = json.loads((pathlib.Path(__file__).parents[1] / "golden/scipy_goldens.json").read_text())


@pytest.mark.parametrize("optimizer", ["lbfgs", "levenberg_marquardt"])
@pytest.mark.parametrize("name", CASES)
def test_reaches_scipys_optimum(mlpd, name, optimizer):
    case = CASES[name]
    mlpd.create("n", **case["network"], optimizer={"type": optimizer})
    mlpd.train("n", data=case["data"], steps=3000)
    traced = mlpd.post("/v1/networks/n/trace", {"data": case["data"]}).json
    assert traced["penalty"] > 0
    better_by = (case["optimum"] - traced["loss"]) / case["optimum"]
    assert better_by > -1e-9
    if case["convex"]:
        assert better_by < 1e-9
