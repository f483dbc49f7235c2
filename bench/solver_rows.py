"""Rows of the full-batch solvers: a user's whole fit, by the clock, in one run with the peer's."""

import datetime
import statistics
import time
import warnings

import servers

ARTICLE = {"inputs": 2, "layers": [{"units": 8}, {"units": 2}], "optimizer": {"type": "auto"}}
SEEDS = range(20)


def fits(table, settings):
    """The job (finished − started) of `auto` on the article's points, against scikit-learn's lbfgs fit."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    with servers.mlpd(processors=servers.PROCESSORS) as own:
        rows = own.send("GET", "/v1/datasets/article-xor/rows?limit=1000")["rows"]
        x, y = [[row["x1"], row["x2"]] for row in rows], [row["class"] for row in rows]
        ratios, ours, theirs, solved = [], [], [], 0
        for seed in SEEDS:
            name = f"seed-{seed}"
            own.send("POST", "/v1/networks", dict(ARTICLE, name=name, seed=seed))
            job = own.send("POST", f"/v1/networks/{name}/train", {"dataset": "article-xor"},
                           {"Prefer": "wait=30"})
            solved += job["metrics"]["accuracy"] >= 0.99
            ours.append(seconds(job["finished_at"]) - seconds(job["started_at"]))
            peer = MLPClassifier((8,), activation="tanh", solver="lbfgs", random_state=seed, max_iter=1000)
            begin = time.perf_counter()
            peer.fit(x, y)
            theirs.append(time.perf_counter() - begin)
            ratios.append(theirs[-1] / max(ours[-1], 0.001))  # the contract tells milliseconds
    table.add("auto on xor_300 (2-8-2) vs scikit-learn's lbfgs fit", ratios, 20,
              note=f"{1e3 * statistics.median(ours):.0f} ms against "
                   f"{1e3 * statistics.median(theirs):.0f} ms; "
                   f"accuracy ≥ 0.99 from {solved} of {len(SEEDS)} seeds")


def seconds(timestamp):
    return datetime.datetime.fromisoformat(timestamp).timestamp()
