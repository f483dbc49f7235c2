#!/usr/bin/env python3
"""mlpd against scikit-learn's MLPClassifier / MLPRegressor on the tables that scikit-learn ships.

    bench/datasets_accuracy.py [--program build/release/mlpd]

5-fold cross-validation: the same splits, standardization, topology (32 tanh units, Glorot), optimizer
(adam 0.001, batches of 32, l2 1e-4) and budget (200 epochs, no early stopping) on both sides. mlpd gets each
fold's training rows as CSV, makes a network over that data set and predicts the test rows by name. The first
run makes build/bench-venv with scikit-learn from PyPI. Exits with 1 where mlpd's mean is below scikit-learn's
by more than one standard error.
"""

import argparse
import csv
import io
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
VENV = ROOT / "build/bench-venv"

try:
    import sklearn  # noqa: F401
except ImportError:
    if pathlib.Path(sys.prefix) == VENV:
        raise
    if not (VENV / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([VENV / "bin/pip", "-q", "install", "scikit-learn"], check=True)
    os.execv(VENV / "bin/python", [VENV / "bin/python", *sys.argv])

import numpy as np
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(ROOT / "tests/support"))
CSV = {"Content-Type": "text/csv"}
UNITS, EPOCHS, BATCH, RATE, L2 = 32, 200, 32, 0.001, 1e-4


def peer(classify, seed):
    settings = dict(hidden_layer_sizes=(UNITS,), activation="tanh", max_iter=EPOCHS, batch_size=BATCH,
                    learning_rate_init=RATE, alpha=L2, tol=0, n_iter_no_change=EPOCHS, random_state=seed)
    if classify:
        return make_pipeline(StandardScaler(), MLPClassifier(**settings))
    scaled = TransformedTargetRegressor(MLPRegressor(**settings), transformer=StandardScaler())
    return make_pipeline(StandardScaler(), scaled)


def table(columns, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def ours(server, name, seed, classify, x_train, y_train, x_test):
    columns = [f"c{i}" for i in range(x_train.shape[1])]
    rows = [[*map(repr, map(float, x)), y] for x, y in zip(x_train, y_train)]
    kind = "label" if classify else "number"
    query = f"name={name}&target=target&types=target:{kind},{','.join(c + ':number' for c in columns)}"
    made = server.request("POST", f"/v1/datasets?{query}", table([*columns, "target"], rows), CSV)
    assert made.status == 201, made
    server.create(name, dataset=name, seed=seed, validation={"fraction": 0},
                  layers=[{"units": UNITS, "activation": "tanh"}],
                  optimizer={"type": "adam", "learning_rate": RATE}, regularization={"l2": L2},
                  **({} if classify else {"loss": "half_squared_error"}))
    job = server.train(name, dataset=name, epochs=EPOCHS, batch_size=BATCH, shuffle=True, record_every=1000)
    assert job["state"] == "succeeded", job
    raw = table(columns, [[*map(repr, map(float, x))] for x in x_test])
    answer = server.request("POST", f"/v1/networks/{name}/predict", raw, CSV).json
    return answer["classes"] if classify else [row[0] for row in answer["outputs"]]


def compare(server, name, load, classify):
    x, y = load(return_X_y=True)
    target = [f"class {v}" for v in y] if classify else list(map(float, y))
    folds = (StratifiedKFold if classify else KFold)(5, shuffle=True, random_state=0)
    score = accuracy_score if classify else r2_score
    scores = []
    for fold, (train, test) in enumerate(folds.split(x, y)):
        y_train, y_test = [target[i] for i in train], [target[i] for i in test]
        mine = ours(server, f"{name}-{fold}", fold, classify, x[train], y_train, x[test])
        theirs = peer(classify, fold).fit(x[train], y_train).predict(x[test])
        scores.append((score(y_test, mine), score(y_test, theirs)))
    mlpd, sklearn_ = np.mean(scores, axis=0)
    errors = np.std(scores, axis=0, ddof=1) / len(scores) ** 0.5
    fine = mlpd >= sklearn_ - errors[1]
    print(f"{name:14} {'accuracy' if classify else 'R²':8} {mlpd:.4f} ± {errors[0]:.4f}   "
          f"{sklearn_:.4f} ± {errors[1]:.4f}   {mlpd - sklearn_:+.4f}   {'ok' if fine else 'BELOW'}",
          flush=True)
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/release/mlpd"))
    os.environ["MLPD_PROGRAM"] = parser.parse_args().program
    from mlpd_process import Mlpd
    with tempfile.TemporaryDirectory() as folder:
        server = Mlpd(folder).start()
        try:
            print(f"{'data set':14} {'metric':8} {'mlpd':17} {'scikit-learn':17} {'difference'}")
            fine = [compare(server, name, load, classify) for name, load, classify in (
                ("iris", datasets.load_iris, True), ("wine", datasets.load_wine, True),
                ("breast-cancer", datasets.load_breast_cancer, True), ("digits", datasets.load_digits, True),
                ("diabetes", datasets.load_diabetes, False))]
        finally:
            server.stop()
    return 0 if all(fine) else 1


if __name__ == "__main__":
    import warnings
    warnings.filterwarnings("ignore", message="Stochastic Optimizer")
    sys.exit(main())
