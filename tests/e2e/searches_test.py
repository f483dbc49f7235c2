"""Searches: candidates that are ordinary networks, a leaderboard that kill -9 doesn't change."""

import math
import random

from mlpd_process import wait_until

CLASSES, ROWS, COLUMNS = 3, 178, 13  # as in scikit-learn's wine table
ENDED = ("succeeded", "failed", "cancelled")


def wine_like():
    """A table of wine's size: three classes, thirteen numbers on very different scales."""
    draw = random.Random(7)
    centres = [[draw.gauss(0, 1) for _ in range(COLUMNS)] for _ in range(CLASSES)]
    lines = [",".join([f"c{c}" for c in range(COLUMNS)] + ["cultivar"])]
    for row in range(ROWS):
        kind = row % CLASSES
        numbers = [10 ** (c % 4) * (centres[kind][c] + draw.gauss(0, 1.2)) for c in range(COLUMNS)]
        lines.append(",".join([f"{n:.4g}" for n in numbers] + [f"kind-{kind}"]))
    return "\n".join(lines) + "\n"


def upload(mlpd):
    answer = mlpd.post("/v1/datasets?name=wine", wine_like(), headers={"Content-Type": "text/csv"})
    assert answer.status == 201, answer


def body(**changes):
    """Forty configurations: five numbers of units, two rates, two batch sizes, two penalties."""
    return {
        "name": "wine-1", "dataset": "wine", "metric": "validation_loss",
        "network": {"layers": [{"units": 8}], "seed": 3},
        "train": {"steps": 150, "shuffle": True},
        "space": {"network": {"/layers/0/units": [2, 4, 8, 16, 32],
                              "/optimizer/learning_rate": {"from": 0.003, "to": 0.03, "scale": "log",
                                                           "points": 2},
                              "/regularization/l2": [0, 0.1]},
                  "train": {"/batch_size": [16, 64]}},
    } | changes


def begin(mlpd, **changes):
    answer = mlpd.post("/v1/searches", body(**changes))
    assert answer.status == 201, answer
    return answer


def end_of(mlpd, name="wine-1", deadline_s=120):
    def ended():
        search = mlpd.get(f"/v1/searches/{name}").json
        return search if "finished_at" in search else None

    return wait_until(ended, f"the end of search {name}", deadline_s)


def done(mlpd, name="wine-1"):
    return mlpd.get(f"/v1/searches/{name}").json["networks_done"]


def names(mlpd):
    return sorted(n["name"] for n in mlpd.get("/v1/networks?limit=1000").json["networks"])


def test_forty_configurations_killed_twice_end_with_the_leaderboard_of_an_uncut_search(start):
    paced = body()["train"] | {"pace": {"steps_per_second": 1500}}  # two seconds, however fast the machine
    uncut = start("--training-threads", "2")
    upload(uncut)
    begin(uncut, train=paced)
    wanted = end_of(uncut)
    assert wanted["state"] == "succeeded" and wanted["stop_reason"] == "completed", wanted
    assert len(wanted["leaderboard"]) == 40 and wanted["unranked"] == []
    scores = [entry["score"] for entry in wanted["leaderboard"]]
    assert scores == sorted(scores) and all(math.isfinite(score) for score in scores)
    assert [entry["rank"] for entry in wanted["leaderboard"]] == list(range(1, 41))

    cut = start("--training-threads", "2")
    upload(cut)
    begin(cut, train=paced)
    for reached in (7, 21):
        wait_until(lambda: done(cut) >= reached, f"{reached} networks")  # noqa: B023
        cut.kill()
        cut.start()
        assert reached <= done(cut) < 40
    found = end_of(cut)
    assert found["leaderboard"] == wanted["leaderboard"]
    assert (found["winner"], found["score"]) == (wanted["winner"], wanted["score"])

    # The winner is an ordinary network, the same on both; the losers are gone.
    for mlpd in (uncut, cut):
        assert names(mlpd) == [wanted["winner"]]
        network = mlpd.get(f"/v1/networks/{wanted['winner']}").json
        best = wanted["leaderboard"][0]
        assert network["state_sha256"] == best["state_sha256"] and network["labels"] == {"search": "wine-1"}
        assert network["layers"][0]["units"] == best["values"]["network"]["/layers/0/units"]
        judged = mlpd.post(f"/v1/networks/{wanted['winner']}/evaluate",
                           {"dataset": "wine", "part": "validation"}).json
        assert judged["data_loss"] == best["score"]
        assert mlpd.train(wanted["winner"], steps=10)["state"] == "succeeded"
    cut.kill()
    cut.start()
    assert cut.get("/v1/searches/wine-1").json == found
    assert names(cut) == [wanted["winner"]]


def test_random_searches_by_accuracy_keep_all_where_asked(mlpd):
    upload(mlpd)
    begin(mlpd, method="random", seed=5, max_networks=6, metric="validation_accuracy", keep="all",
          space={"network": {"/layers/0/units": {"from": 2, "to": 64, "whole": True},
                             "/optimizer/learning_rate": {"from": 1e-4, "to": 0.1, "scale": "log"}}})
    search = end_of(mlpd)
    scores = [entry["score"] for entry in search["leaderboard"]]
    assert len(scores) == 6 and scores == sorted(scores, reverse=True) and scores[0] > 0.8, search
    assert names(mlpd) == sorted(entry["network"] for entry in search["leaderboard"])
    assert all(entry["kept"] for entry in search["leaderboard"])
    assert mlpd.delete("/v1/searches/wine-1").status == 204
    assert len(names(mlpd)) == 6 and mlpd.get("/v1/searches").json["searches"] == []


def test_cancelling_ends_a_search_whose_networks_would_take_long(mlpd):
    upload(mlpd)
    begin(mlpd, train={"steps": 100_000_000})
    wait_until(lambda: mlpd.get("/v1/jobs").json["jobs"], "the first job")
    assert mlpd.delete("/v1/searches/wine-1").status == 409
    for _ in range(3):
        answer = mlpd.post("/v1/searches/wine-1/cancel")
        assert answer.status == 200 and answer.json["state"] == "cancelled", answer
    search = end_of(mlpd)
    assert search["stop_reason"] == "cancelled" and search["leaderboard"] == []
    assert all(entry["state"] == "cancelled" for entry in search["unranked"])
    assert names(mlpd) == []
    assert mlpd.delete("/v1/searches/wine-1").status == 204


def test_time_ends_a_search(mlpd):
    upload(mlpd)
    begin(mlpd, train={"steps": 100_000_000}, max_seconds=0.5)
    search = end_of(mlpd)
    assert search["stop_reason"] == "max_seconds" and search["state"] == "failed", search
    assert search["seconds"] >= 0.5 and names(mlpd) == []


def test_what_is_wrong_is_said_and_changes_nothing(start):
    mlpd = start("--searches-waiting-max", "1", "--searches-max", "2", "--search-networks-max", "40")
    upload(mlpd)
    bad = body(space={"network": {"/layers/0/units": [4, 0], "/layers/0/activation": ["tahn"]}})
    answer = mlpd.post("/v1/searches", bad)
    assert answer.status == 422, answer
    assert {e["pointer"] for e in answer.json["errors"]} == {
        "#/space/network/~1layers~10~1units/1", "#/space/network/~1layers~10~1activation/0"}
    assert mlpd.get("/v1/searches").json["searches"] == []
    mlpd.create("wine-1-07", inputs=2, layers=[{"units": 2}])
    assert mlpd.post("/v1/searches", body()).status == 409
    assert mlpd.delete("/v1/networks/wine-1-07").status == 204
    wide = body()
    wide["space"]["train"]["/steps"] = [10, 20]
    assert mlpd.post("/v1/searches", wide).status == 422

    key = {"Idempotency-Key": "k"}
    long = body(train={"steps": 100_000_000})
    first = mlpd.post("/v1/searches", long, headers=key)
    assert first.status == 201
    assert mlpd.post("/v1/searches", long, headers=key).json["name"] == first.json["name"]
    assert mlpd.post("/v1/searches", body(), headers=key).status == 409
    assert mlpd.post("/v1/searches", body()).status == 409  # the name
    assert mlpd.post("/v1/searches", body(name="other")).status == 429  # searches_waiting_max
    assert mlpd.post("/v1/searches/wine-1/cancel").status == 200
    end_of(mlpd)
    begin(mlpd, name="other", space={"train": {"/steps": [5]}})
    end_of(mlpd, "other")
    assert mlpd.post("/v1/searches", body(name="third")).status == 429  # searches_max
    assert mlpd.get("/v1/searches/third").status == 404
