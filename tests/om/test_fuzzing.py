"""The readers of strangers' files on inputs that once reached something new, and on seeded mutations of them.

`coverage_guided.py` in this folder searches further; what it finds worth keeping lies in tests/data/fuzz.
"""

from __future__ import annotations

import random
import time

import pytest
from readers import TARGETS, Target
from samples import ROOT

CORPUS = ROOT / "tests" / "data" / "fuzz"
MUTATIONS = 700  # of each target
SLOW = 1.0  # seconds of processor time


def inputs(target: Target) -> list[bytes]:
    """The target's seeds, and its corpus."""
    return [*target.seeds(), *(path.read_bytes() for path in sorted((CORPUS / target.name).glob("*")))]


def mutated(content: bytes, source: random.Random) -> bytes:
    """The content with a few bytes changed, cut out or put in."""
    data = bytearray(content)
    for _ in range(source.randrange(1, 5)):
        at = source.randrange(len(data) + 1)
        match source.randrange(4):
            case 0 if at < len(data):
                data[at] ^= 1 << source.randrange(8)
            case 1 if at < len(data):
                data[at] = source.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del data[at : at + source.randrange(9)]
            case _:
                data[at:at] = source.randbytes(source.randrange(9))
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_seed_and_every_input_of_the_corpus_is_read_or_refused(target: Target) -> None:
    for content in inputs(target):
        target.try_on(content)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_mutations_are_read_or_refused_in_time(target: Target) -> None:
    source, given = random.Random(4), inputs(target)  # noqa: S311 - no secret
    for _ in range(MUTATIONS):
        content = mutated(source.choice(given), source)
        begin = time.process_time()
        target.try_on(content)
        assert time.process_time() - begin < SLOW


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_first_seed_is_read(target: Target) -> None:
    """Mutations of what is refused at once would test little."""
    target.read(target.seeds()[0])
