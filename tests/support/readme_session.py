"""The README's session, typed as it stands; the answers must be as they stand there."""

import re
import subprocess

from mlpd_process import ROOT

README_URL = "http://127.0.0.1:8080"
RESTART = "# stop the server (Ctrl-C), start it again: ./dev run"

# What differs between runs; everything else must be exactly as printed.
VOLATILE = [
    (r'("id": ?)"[^"]+"', r'\1"…"'),
    (r'("[a-z]+_at": ?)"[^"]+"', r'\1"…"'),
    (r'("steps_per_second": ?)[0-9.e+]+', r"\1…"),
]


def masked(text):
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text


def steps_of_readme():
    """(command, printed answer) pairs of the console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    steps = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            steps.append([line[2:], ""])
        else:
            steps[-1][1] += line + "\n"
    assert len([command for command, _ in steps if "curl" in command]) >= 6
    assert RESTART in [command for command, _ in steps]
    return steps


def run_readme(url, folder, restart):
    """Runs the session in `folder` against the server at `url`, which restart() stops and starts."""
    variables = ""
    for command, printed in steps_of_readme():
        if command == RESTART:
            restart()
            continue
        if re.match(r"[A-Z]+=", command):
            variables += command.replace(README_URL, url) + "\n"
            continue
        ran = subprocess.run(["bash", "-c", variables + command], stdin=subprocess.DEVNULL, timeout=60,
                             capture_output=True, text=True, cwd=folder)
        assert ran.returncode == 0, (command, ran.stderr)
        assert masked(ran.stdout) == masked(printed), command
