"""The data sets that the program brings along with the dashboard, and the recipes over them."""

import pytest

RECIPES = {"iris": (150, 0.9), "digits": (1000, 0.8)}  # rows, least accuracy on rows held out


def is_built_without_dashboard(mlpd):
    return mlpd.get("/icon.svg").status == 404


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_over_samples_learn_and_stay_healthy(mlpd, recipe):
    rows, least = RECIPES[recipe]
    listed = {entry["name"]: entry for entry in mlpd.get("/v1/recipes").json["recipes"]}[recipe]
    if is_built_without_dashboard(mlpd):
        assert not listed["available"]
        assert "not in this build" in mlpd.post(f"/v1/recipes/{recipe}").json["detail"]
        return
    assert listed["available"] and listed["dataset"] == f"sample-{recipe}"
    dataset = mlpd.get(f"/v1/datasets/sample-{recipe}").json
    assert dataset["rows"] == rows and dataset["read_only"]
    assert mlpd.delete(f"/v1/datasets/sample-{recipe}").status == 403
    accuracies = []
    for seed in range(5):
        answer = mlpd.post(f"/v1/recipes/{recipe}", {"seed": seed})
        assert answer.status == 201, answer
        name = answer.json["network"]["name"]
        assert mlpd.wait_job(answer.json["job"]["id"])["state"] == "succeeded"
        evaluation = mlpd.post(f"/v1/networks/{name}/evaluate",
                               {"dataset": f"sample-{recipe}", "part": "validation"}).json
        accuracies.append(evaluation["metrics"]["accuracy"])
        found = mlpd.get(f"/v1/networks/{name}/diagnosis").json
        assert found["verdict"] == "healthy", (seed, found["summary"])
    print(f"{recipe}: accuracy on rows held out {accuracies}")
    assert min(accuracies) >= least


def test_a_sample_makes_networks_and_raw_rows_are_predicted(mlpd):
    if is_built_without_dashboard(mlpd):
        pytest.skip("its samples come with the dashboard")
    mlpd.create("mine", dataset="sample-iris")
    mlpd.train("mine", dataset="sample-iris", steps=200)
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    assert mlpd.post("/v1/networks/mine/predict", {"rows": [row]}).json["classes"] == ["setosa"]
    digest = mlpd.digest("mine")
    mlpd.restart()
    assert mlpd.digest("mine") == digest
    assert mlpd.train("mine", dataset="sample-iris", steps=1)["step"] == 201
