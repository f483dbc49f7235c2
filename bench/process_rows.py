"""Rows of single-threaded work in process, by processor time, and of two threads, by the clock."""

import json
import pathlib
import statistics
import subprocess
import sys

BUILD = pathlib.Path(__file__).resolve().parents[1] / "build/release"
# name: widths, hidden activation, rows; {peer: (floor, goal)}; (floor, goal) of the share of the peak
CASES = {
    "2-3-2_b4": ([2, 3, 2], "sigmoid", 4,
                 {"torch": (1000, 2500), "sklearn": (600, None), "numpy": (170, None)}, None),
    "2-3-2_b300": ([2, 3, 2], "sigmoid", 300, {"torch": (90, 200), "sklearn": (55, None)}, None),
    "2-50-2_b50": ([2, 50, 2], "sigmoid", 50, {"torch": (55, 120), "sklearn": (35, None)}, None),
    "20-64-64-1_b32": ([20, 64, 64, 1], "relu", 32,
                       {"torch": (22, 30), "sklearn": (15, None)}, None),
    "784-128-10_b64": ([784, 128, 10], "relu", 64,
                       {"torch": (2.3, 2.8), "sklearn": (2.2, None)}, (75, 85)),
    "784-512-512-10_b128": ([784, 512, 512, 10], "relu", 128,
                            {"torch": (1.25, 1.5), "sklearn": (1.7, None)}, (75, 87)),
    "784-2048-2048-10_b256": ([784, 2048, 2048, 10], "relu", 256,
                              {"torch": (0.95, 1.15), "sklearn": (1.3, None)}, (70, 85)),
}
ARTICLE = {"2-3-2_b50": ([2, 3, 2], "sigmoid", 50)}  # its NumPy script alone is timed in process
FORWARD = {"2-3-2_b4": (20, 60), "784-128-10_b64": (2.4, 3.3), "784-512-512-10_b128": (1.0, 1.5)}
NAMES = {"torch": "PyTorch eager", "sklearn_partial_fit": "scikit-learn partial_fit",
         "sklearn_fit": "scikit-learn fit", "numpy": "NumPy, the article's script",
         "onnxruntime": "ONNX Runtime"}


class Peer:
    """bench/peers.py with one library, kept running between the rounds."""

    def __init__(self, library):
        self.process = subprocess.Popen([sys.executable, pathlib.Path(__file__).parent / "peers.py", library],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def step_seconds(self, name, seconds):
        widths, hidden, rows = (CASES | ARTICLE)[name][:3]
        case = {"widths": widths, "hidden": hidden, "rows": rows}
        self.process.stdin.write(json.dumps({"case": case, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[-1]} ended")
        return float(line)


def benchmark(program, name, seconds, key="cpu_time"):
    """One google-benchmark case: {seconds, and its counters}."""
    done = subprocess.run([BUILD / program, f"--benchmark_filter=^{name}(/real_time)?$",
                           f"--benchmark_min_time={seconds}", "--benchmark_format=json"],
                          capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["benchmarks"]
    if len(found) != 1 or found[0].get("error_occurred"):
        raise RuntimeError(f"{program} {name}: {found}")
    scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[found[0]["time_unit"]]
    return dict(found[0], seconds=found[0][key] * scale)


def micro(values):
    median = 1e6 * statistics.median(values)
    return f"{median:,.0f} µs" if median >= 100 else f"{median:.3g} µs"


def against(table, label, own, other, floor, goal):
    """The ratio other : own, round by round."""
    table.add(label, [b / a for a, b in zip(own, other)], floor, goal,
              note=f"{micro(own)} against {micro(other)}")


def train(table, settings):
    libraries = ["torch", "sklearn_partial_fit", "sklearn_fit", "numpy"]
    for name, (_, _, _, bars, share) in CASES.items():
        figures = {library: [] for library in ["mlpd", "fann", "peak", *libraries]}
        # FANN needs seconds for a step of the largest.
        with_fann = not (settings.quick and name.startswith("784-2048"))
        peers = {library: Peer(library) for library in libraries}
        for _ in range(settings.rounds):
            own = benchmark("kernels_benchmark", f"train/{name}", settings.seconds)
            figures["mlpd"].append(own["seconds"])
            for library, peer in peers.items():
                figures[library].append(peer.step_seconds(name, settings.seconds))
            if with_fann:
                fann = benchmark("peers_benchmark", f"fann/{name}", settings.seconds)
                figures["fann"].append(fann["seconds"])
            if share:
                top = benchmark("peers_benchmark", "fma_peak", settings.seconds)
                figures["peak"].append(100 * own["GFLOP/s"] / top["GFLOP/s"])
        for peer in peers.values():
            peer.__exit__()
        label = "train " + name.replace("_", " ")
        for library in libraries:
            against(table, f"{label} vs {NAMES[library]}", figures["mlpd"], figures[library],
                    *bars.get(library.split("_")[0], (None, None)))
        if with_fann:
            against(table, f"{label} vs FANN", figures["mlpd"], figures["fann"], 1, 5)
        if share:
            table.add(f"{label}, share of the fp32 FMA peak", figures["peak"], *share, unit="%")


def threads(table, settings):
    """By the clock: on a busy machine these rows mean little."""
    with Peer("torch_two_threads") as torch:
        for name in list(CASES)[-2:]:
            one, two, other = [], [], []
            for _ in range(settings.rounds):
                for threads_, list_ in ((1, one), (2, two)):
                    found = benchmark("kernels_benchmark", f"train_wall_{threads_}/{name}", settings.seconds,
                                      "real_time")
                    list_.append(found["seconds"])
                other.append(torch.step_seconds(name, settings.seconds))
            label = f"train {name.replace('_', ' ')}, 2 threads by the clock, vs "
            against(table, label + "1 thread", two, one, 1.5, 1.85)
            against(table, label + "PyTorch with 2", two, other, None, None)


def forward(table, settings):
    with Peer("onnxruntime") as peer:
        for name, bars in FORWARD.items():
            own, other = [], []
            for _ in range(settings.rounds):
                own.append(benchmark("kernels_benchmark", f"predict_row/{name}", settings.seconds)["seconds"])
                other.append(peer.step_seconds(name, settings.seconds))
            against(table, f"one-row forward {name.split('_')[0]} vs ONNX Runtime", own, other, *bars)


def numbers(table, settings):
    for what, label, floor, goal in (("parse", "parse 1,000 × 20 floats vs nlohmann DOM", 8, 12),
                                     ("write", "write 1,000 × 10 floats vs nlohmann dump", 3, 4)):
        own, other = [], []
        for _ in range(settings.rounds):
            for library, list_ in (("mlpd", own), ("nlohmann", other)):
                found = benchmark("json_benchmark", f"{what}_{library}", settings.seconds)
                list_.append(1e9 / found["items_per_second"])
        table.add(label, [b / a for a, b in zip(own, other)], floor, goal,
                  note=f"{statistics.median(own):.1f} ns a number against {statistics.median(other):.1f} ns")
