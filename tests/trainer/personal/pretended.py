"""A command in place of `editflow train` that only pretends to train, as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

_SCRIPT = """\
import json, os, signal, subprocess, sys, time
from pathlib import Path

def git(*arguments):
    return subprocess.check_output(["git", "-C", folder, *arguments], text=True).strip()

folder = sys.argv[sys.argv.index("--repo") + 1]
name, head = Path(folder).name, git("rev-parse", "HEAD")
caches = Path(os.environ["XDG_CACHE_HOME"])
place = caches / "editflow" / "training" / git("rev-list", "--max-parents=0", "HEAD")
with open(os.environ["PRETENDED"], "a") as calls:
    call = {"name": name, "arguments": sys.argv[1:], "nice": os.nice(0), "environment": dict(os.environ)}
    print(json.dumps(call), file=calls)
if "slow" in name:
    def keep(number, frame):
        with (place / "interrupts").open("a") as interrupts:
            interrupts.write(f"{number}\\n")
    signal.signal(signal.SIGINT, keep)
    (place / "training.json").write_text("{}")
    for _ in range(300):
        time.sleep(0.1)
        if (place / "interrupts").exists():
            print("editflow: stopped; the same command with --resume goes on", file=sys.stderr)
            sys.exit(130)
if "bad" in name:
    print("a warning\\neditflow: this cannot be trained", file=sys.stderr)
    sys.exit(2)
(place / "trained").write_text(head)
installed = "poor" not in name
rates = {"held_out": {"hits": 2, "cases": 20}, "clean": {"hits": 99, "cases": 100}}
better = {**rates, "held_out": {"hits": 5, "cases": 20}}
print(json.dumps({
    "repository": {"head": head}, "installed": installed, "adapter": f"{name}@12345678" if installed else None,
    "reason": "it makes 3 more", "report": "report.html", "before": rates, "after": better, "seconds": {"all": 61.5},
}))
sys.exit(0 if installed else 1)
"""


def command(folder: Path) -> tuple[str, ...]:
    """The command; each call adds a line of JSON to the file that $PRETENDED names.

    It fails in a folder whose name has "bad" in it, installs nothing where it has "poor", and goes on until it is
    interrupted where it has "slow".
    """
    script = folder / "pretended.py"
    script.write_text(_SCRIPT, "utf-8")
    return (sys.executable, str(script))
