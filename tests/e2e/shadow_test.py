"""Shadows on the traffic of what is served, and feedback on what was predicted."""

import threading

from mlpd_process import Mlpd, wait_until

SPEC = {"inputs": 2, "layers": [{"units": 8}, {"units": 2}]}
# Cases of xor with their truth.
CASES = [([x, y], int((x > 0) != (y > 0))) for x in (-0.7, -0.3, 0.3, 0.7) for y in (-0.6, -0.2, 0.2, 0.6)]


def make(mlpd):
    """Version 1 has learned nothing, version 2 everything; version 1 is served, version 2 its shadow."""
    mlpd.create("n", **SPEC)
    assert mlpd.post("/v1/networks/n/versions").status == 201
    mlpd.train("n", data={"generator": "xor"}, steps=500)
    assert mlpd.post("/v1/networks/n/versions").status == 201
    assert mlpd.put("/v1/networks/n/aliases/default", {"version": 1}).status == 201
    made = mlpd.put("/v1/networks/n/shadow", {"version": 2})
    assert made.status == 201 and made.json["version"] == 2 and made.json["against"] == [], made


def infer(mlpd, rows, **parameters):
    tensor = {"name": "inputs", "shape": [len(rows), 2], "datatype": "FP32", "data": rows}
    answer = mlpd.post("/v2/models/n/infer", {"inputs": [tensor], "parameters": parameters})
    assert answer.status == 200, answer
    return answer


def compared(mlpd, rows):
    def done():
        shadow = mlpd.get("/v1/networks/n/shadow").json
        return shadow if sum(with_["rows"] for with_ in shadow["against"]) >= rows else None

    return wait_until(done, f"{rows} rows computed by the shadow", 60)


def classes(mlpd, version):
    answer = mlpd.post(f"/v1/networks/n/predict?version={version}", {"inputs": [row for row, _ in CASES]})
    return answer.json["classes"]


def share(predicted, right):
    return sum(a == b for a, b in zip(predicted, right)) / len(right)


def test_a_shadow_is_compared_and_judged(mlpd):
    make(mlpd)
    truth = [kind for _, kind in CASES]
    first, second = classes(mlpd, 1), classes(mlpd, 2)  # named by number: not the traffic that counts
    ids = [infer(mlpd, [row]).json["parameters"]["prediction_id"] for row, _ in CASES]
    shadow = compared(mlpd, len(CASES))
    assert shadow["against"] == [{"version": 1, "rows": 16, "agreement": share(first, second)}]
    assert shadow["dropped"] == shadow["failed"] == 0
    for prediction_id, target in zip(ids, truth):
        told = mlpd.post("/v1/networks/n/feedback", {"prediction_id": prediction_id, "target": target})
        assert told.json == {"prediction_id": prediction_id, "version": 1, "counted": 1}, told
    assert mlpd.post("/v1/networks/n/feedback", {"prediction_id": ids[0], "target": 1}).json["counted"] == 0
    judged = mlpd.get("/v1/networks/n/shadow").json["against"][0]["feedback"]
    assert judged == {"rows": 16, "accuracy": share(first, truth), "shadow_accuracy": share(second, truth)}
    assert judged["accuracy"] < judged["shadow_accuracy"] == 1
    stats = {row["version"]: row for row in mlpd.get("/v2/models/n/stats").json["model_stats"]}
    assert stats["1"]["feedback"] == {"rows": 16, "accuracy": judged["accuracy"]}
    assert stats["2"]["feedback"] == {"rows": 16, "accuracy": 1}
    metrics = mlpd.get("/metrics").body.decode()
    for line in ('mlpd_shadow_rows_total{network="n"} 16', 'mlpd_shadow_dropped_rows_total{network="n"} 0',
                 'mlpd_feedback_rows_total{network="n",role="answered"} 16',
                 'mlpd_feedback_correct_rows_total{network="n",role="shadow"} 16',
                 "mlpd_feedback_kept_numbers 16", "mlpd_shadow_waiting_numbers 0"):
        assert line in metrics, line


def test_a_shadow_outlives_the_process_its_counts_do_not(mlpd):
    make(mlpd)
    old = infer(mlpd, [[0.5, -1]]).json["parameters"]["prediction_id"]
    compared(mlpd, 1)
    mlpd.kill()
    mlpd.start()
    shadow = mlpd.get("/v1/networks/n/shadow").json
    assert shadow["version"] == 2 and shadow["against"] == []
    gone = mlpd.post("/v1/networks/n/feedback", {"prediction_id": old, "target": 1})
    assert gone.status == 404 and "too old" in gone.json["detail"]
    assert mlpd.delete("/v1/networks/n/versions/2").status == 409
    assert mlpd.delete("/v1/networks/n/shadow").status == 204
    assert mlpd.get("/v1/networks/n/shadow").status == mlpd.delete("/v1/networks/n/shadow").status == 404
    assert "parameters" not in infer(mlpd, [[0.5, -1]]).json
    assert mlpd.delete("/v1/networks/n/versions/2").status == 204
    assert mlpd.put("/v1/networks/n/shadow", {"version": 2}).status == 404


def test_the_live_network_learns_in_the_shadow_of_a_version(mlpd):
    make(mlpd)
    assert mlpd.put("/v1/networks/n/shadow", {"version": "live"}).status == 200
    answer = mlpd.post("/v1/networks/n/predict", {"inputs": [0.5, -1]})  # live itself: nothing to compare
    assert "prediction_id" not in answer.json and "prediction-id" not in answer.headers
    answer = mlpd.post("/v1/networks/n/predict?alias=default", {"inputs": [[0.5, -1], [1, 1]]})
    assert answer.json["prediction_id"] == answer.headers["prediction-id"]
    assert compared(mlpd, 2)["against"][0]["version"] == 1


def test_feedback_without_a_shadow(mlpd):
    table = "age,kind\n" + "".join(f"{20 + i},{'ab'[i % 2]}\n" for i in range(20))
    assert mlpd.post("/v1/datasets?name=people", table, headers={"Content-Type": "text/csv"}).status == 201
    mlpd.create("named", dataset="people", layers=[{"units": 3}])
    asked = mlpd.post("/v1/networks/named/predict?prediction_id&format=csv",
                      {"rows": [{"age": 20}, {"age": 60}]})
    told = {"prediction_id": asked.headers["prediction-id"], "targets": ["a", None]}
    assert mlpd.post("/v1/networks/named/feedback", told).json["counted"] == 1
    wrong = mlpd.post("/v1/networks/named/feedback", {**told, "targets": ["c", None]})
    assert wrong.status == 422 and wrong.json["errors"][0]["pointer"] == "#/targets/0"
    mlpd.create("number", inputs=1, layers=[{"units": 1, "weights": [[2]], "bias": [1]}])
    asked = mlpd.post("/v1/networks/number/predict?prediction_id", {"inputs": [1]}).json
    told = {"prediction_id": asked["prediction_id"], "target": 3.5}
    assert mlpd.post("/v1/networks/named/feedback", told).status == 404
    assert mlpd.post("/v1/networks/number/feedback", told).json["version"] == "live"
    stats = mlpd.get("/v2/models/number/stats").json["model_stats"]
    assert [(row["version"], row["feedback"]) for row in stats] == [
        ("live", {"rows": 1, "mean_absolute_error": 0.5})]


def test_old_predictions_make_room(tmp_path, request):
    mlpd = Mlpd(tmp_path, "--feedback-numbers-max", "2", "--shadow-numbers-max", "1").start()
    request.addfinalizer(mlpd.kill)
    make(mlpd)
    ids = [infer(mlpd, [[0.5, -1]]).json["parameters"]["prediction_id"] for _ in range(3)]
    told = [mlpd.post("/v1/networks/n/feedback", {"prediction_id": i, "target": 1}).status for i in ids]
    assert told == [404, 200, 200]
    assert mlpd.get("/v1/networks/n/shadow").json["dropped"] == 3
    assert mlpd.get("/v1/capabilities").json["limits"]["feedback_numbers"] == 2
    refused = mlpd.post("/v1/networks/n/predict?prediction_id", {"inputs": [[1, 1]] * 3})
    assert refused.status == 422 and "keeps 2" in refused.json["detail"]


def test_statistics_count_predict_and_infer(mlpd):
    make(mlpd)
    infer(mlpd, [[0.5, -1]] * 3)
    mlpd.post("/v1/networks/n/predict?alias=default", {"inputs": [[0.5, -1]] * 2})
    mlpd.post("/v1/networks/n/predict", {"inputs": [0.5, -1]})
    mlpd.post("/v1/networks/n/predict", {"inputs": [0.5]})
    mlpd.post("/v1/networks/n/predict?step=100", {"inputs": [0.5, -1]})
    stats = {row["version"]: row for row in mlpd.get("/v2/models/n/stats").json["model_stats"]}
    assert {version: row["inference_count"] for version, row in stats.items()} == {"1": 5, "live": 1}
    assert stats["1"]["execution_count"] == 2 and stats["1"]["inference_stats"]["success"]["ns"] > 0
    assert stats["live"]["inference_stats"]["fail"]["count"] == 1
    assert "mlpd_inference_rows_total 7" in mlpd.get("/metrics").body.decode()


def test_every_row_under_load_is_compared_dropped_or_unanswered(mlpd):
    """Four clients, aliases flip, the shadow is set and ended: answers stay right, and sums stay whole."""
    make(mlpd)
    right = {v: infer_named(mlpd, v) for v in (1, 2)}
    mlpd.put("/v1/networks/n/shadow", {"version": "live"})  # begins anew
    stop, wrong, asked, told = threading.Event(), [], [], []

    def ask():
        while not stop.is_set():
            answer = infer(mlpd, [row for row, _ in CASES]).json
            if answer["outputs"][0]["data"] != right[int(answer["model_version"])]:
                wrong.append(answer)
            asked.append(answer)
            feedback = {"prediction_id": answer["parameters"]["prediction_id"],
                        "targets": [kind for _, kind in CASES]}
            told.append(mlpd.post("/v1/networks/n/feedback", feedback))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(100):
        assert mlpd.put("/v1/networks/n/aliases/default", {"version": 1 + i % 2}).status == 200
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong and len(asked) > 20
    assert {answer.status for answer in told} == {200}, [a for a in told if a.status != 200][:3]
    rows = 16 * len(asked)

    def settled():
        shadow = mlpd.get("/v1/networks/n/shadow").json
        seen = sum(with_["rows"] for with_ in shadow["against"])
        return shadow if seen + shadow["dropped"] == rows else None

    shadow = wait_until(settled, "all rows", 60)
    judged = sum(with_.get("feedback", {"rows": 0})["rows"] for with_ in shadow["against"])
    assert shadow["failed"] == 0 and judged == rows - shadow["dropped"]
    stats = {row["version"]: row for row in mlpd.get("/v2/models/n/stats").json["model_stats"]}
    assert stats["1"]["feedback"]["rows"] + stats["2"]["feedback"]["rows"] == rows
    assert stats["live"]["feedback"] == {"rows": judged, "accuracy": 1}


def infer_named(mlpd, version):
    rows = [row for row, _ in CASES]
    tensor = {"name": "inputs", "shape": [len(rows), 2], "datatype": "FP32", "data": rows}
    answer = mlpd.post(f"/v2/models/n/versions/{version}/infer", {"inputs": [tensor]})
    return answer.json["outputs"][0]["data"]
