"""How many bottoms and weights a layer has: the checks that every op's `infer` begins with."""

from __future__ import annotations

from torch2om.ir.op import Shape, Shapes, elements, need, only


def exactly(shapes: Shapes, count: int, what: str = "bottom") -> tuple[Shape, ...]:
    """Return the `count` shapes there must be; raise `BadOp` for another number."""
    need(len(shapes) == count, f"needs exactly {count} {what}{'' if count == 1 else 's'}, has {len(shapes)}")
    return tuple(shapes)


def sole(bottoms: Shapes, weights: Shapes) -> Shape:
    """Return the one bottom's shape of a layer without weights; raise `BadOp` for anything else."""
    exactly(weights, 0, "weight")
    return only(bottoms)


def check_weights(weights: Shapes, expected: Shapes) -> None:
    """Raise `BadOp` unless the weights have the expected shapes; a scalar [] may also be stored as [1]."""
    exactly(weights, len(expected), "weight")
    for index, (have, want) in enumerate(zip(weights, expected, strict=True)):
        fits = have == want or (want == () and elements(have) == len(have) == 1)
        need(fits, f"weight {index} has shape {list(have)}, needs {list(want)}")
