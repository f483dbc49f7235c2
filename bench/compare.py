#!/usr/bin/env python3
"""`./dev bench`: mlpd against other software, one table of ratios. Figures of one row are taken in turns
(A B A B …); a row's value is the median over the rounds. See docs/performance.md.

Writes build/bench/table.md and build/bench/figures.json.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import http_rows  # noqa: E402
import process_rows  # noqa: E402
import solver_rows  # noqa: E402
from servers import MLPD, ROOT  # noqa: E402

SECTIONS = {"train": process_rows.train, "threads": process_rows.threads, "forward": process_rows.forward,
            "json": process_rows.numbers, "http": http_rows.requests, "crowd": http_rows.crowd,
            "jobs": http_rows.jobs, "article": http_rows.article, "fits": solver_rows.fits,
            "memory": http_rows.memory, "background": http_rows.background}


class Table:
    """Collects rows. `better` is "more" for ratios and shares, "less" for times and sizes."""

    def __init__(self, settings):
        self.settings, self.rows, self.left_out = settings, [], []

    def add(self, name, values, floor=None, goal=None, unit="×", better="more", note=""):
        median = statistics.median(values)
        reached = lambda bar: median >= bar if better == "more" else median <= bar  # noqa: E731
        verdict = ("–" if floor is None else "below the floor" if not reached(floor)
                   else "goal" if goal is not None and reached(goal) else "floor")
        self.rows.append({"row": name, "median": median, "least": min(values), "most": max(values),
                          "values": values, "unit": unit, "floor": floor, "goal": goal, "verdict": verdict,
                          "note": note})
        say(f"{name}: {show(median)} {unit}  {verdict}  {note}")

    def skip(self, name, why):
        self.left_out.append({"row": name, "why": why})
        say(f"{name}: left out, {why}")

    def markdown(self, header):
        bar = lambda value, unit: "–" if value is None else f"{show(value)} {unit}"  # noqa: E731
        lines = [f"- {key}: {value}" for key, value in header.items()]
        lines += ["", "| row | median | least … most | floor | goal | holds | medians behind it |",
                  "|---|---|---|---|---|---|---|"]
        for r in self.rows:
            lines.append(f"| {r['row']} | **{show(r['median'])} {r['unit']}** | {show(r['least'])} … "
                         f"{show(r['most'])} | {bar(r['floor'], r['unit'])} | {bar(r['goal'], r['unit'])} | "
                         f"{r['verdict']} | {r['note']} |")
        lines += [f"- left out: {r['row']} ({r['why']})" for r in self.left_out]
        return "\n".join(lines) + "\n"


def say(text):
    print(text, file=sys.stderr, flush=True)


def show(number):
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def stolen():
    """Seconds that the host has taken from this machine's processors for others since it started."""
    return int(pathlib.Path("/proc/stat").read_text().split()[8]) / os.sysconf("SC_CLK_TCK")


def header(settings):
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / 2**20
    libraries = ["torch", "scikit-learn", "numpy", "onnxruntime", "fastapi", "uvicorn"]
    debian = ["libfann2", "nginx-light", "nlohmann-json3-dev", "wrk", "nghttp2-client"]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in libraries]
    versions += [f"{name} {output('dpkg-query', '-W', '-f=${Version}', name)}" for name in debian]
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": f"{cpu[1] if cpu else platform.machine()}, {len(os.sched_getaffinity(0))} processors, "
                       f"{memory:.0f} GB, Linux {platform.release()}",
            "load": f"{os.getloadavg()[0]:.1f} when it began (above 0.5: other work disturbed the figures)",
            "mlpd": f"{output(str(MLPD), '--version')}, commit "
                    f"{output('git', 'rev-parse', '--short', 'HEAD')}, "
                    f"g++ {output('g++', '-dumpfullversion')} -O2",
            "peers": ", ".join(versions), "rounds": settings.rounds}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 short rounds, under 5 minutes")
    parser.add_argument("--rounds", type=int, help="how often each figure is taken (default 7, quick 3)")
    parser.add_argument("--newest", action="store_true",
                        help="against PyTorch, scikit-learn and NumPy as PyPI has them, not Debian")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    settings = parser.parse_args()
    settings.rounds = settings.rounds or (3 if settings.quick else 7)
    settings.seconds = 0.1 if settings.quick else 0.5
    settings.wrk_seconds = 1 if settings.quick else 5
    os.chdir(ROOT)
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    head, table = header(settings), Table(settings)
    start, stolen_before = time.monotonic(), stolen()
    for name in settings.only:
        try:
            SECTIONS[name](table, settings)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            table.skip(f"rest of section {name}", " ".join(str(error).split())[:200])
    share = (stolen() - stolen_before) / (time.monotonic() - start) / os.cpu_count()
    head["stolen"] = f"{100 * share:.1f} % of the processors' time went to other guests of the host"
    text, folder = table.markdown(head), ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(text)
    (folder / "figures.json").write_text(
        json.dumps({"header": head, "rows": table.rows, "left_out": table.left_out}, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
