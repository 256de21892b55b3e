"""Fuzzes one reader with inputs that libFuzzer grows where they reach new code.

    pip install -c constraints.txt -e '.[fuzz]'
    python tests/om/coverage_guided.py TARGET FOLDER [-runs=N] [libFuzzer's options]

FOLDER receives the inputs that reached something new; it may hold some to begin with. The run ends at the first
finding: an exception that is none of torch2om's own, a call that takes a second of the processor, or more than 1 GiB of
memory; libFuzzer writes the input to a file `crash-...` in the current folder.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["torch2om"]):
    from readers import TARGETS, Target

SLOW = 1.0  # seconds of processor time
LIMITS = ("-rss_limit_mb=1024", "-timeout=60", "-max_len=8192", "-print_final_stats=1")


class SlowError(Exception):
    """An input that takes too long."""


def watched(target: Target, content: bytes) -> None:
    """Read one input; raises what the target raises, and `SlowError`."""
    begin = time.process_time()
    target.try_on(content)
    taken = time.process_time() - begin
    if taken > SLOW:
        raise SlowError(f"{len(content)} bytes took {taken:.1f} s")


def main() -> None:
    """Run until the number of runs is reached or something is found."""
    target, folder = TARGETS[sys.argv[1]], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(target.seeds()):
        (folder / f"seed-{index}").write_bytes(seed)
    atheris.Setup([sys.argv[0], str(folder), *LIMITS, *sys.argv[3:]], lambda content: watched(target, content))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
