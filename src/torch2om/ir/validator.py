"""The net's specification, checked: unique names, one producer per blob, order, shapes, outputs that exist."""

from __future__ import annotations

from torch2om.ir.net import Net
from torch2om.ir.op import BadOp


class InvalidNet(ValueError):  # noqa: N818 - a broken invariant of our own code, not a user's error
    """A stage built a net that breaks the specification; the text lists every violation."""


def validate(net: Net) -> Net:
    """Return the net if it is well formed; raise `InvalidNet` with all violations otherwise."""
    problems = [*_name_problems(net), *_order_problems(net)] or _shape_problems(net) or _reference_problems(net)
    if problems:
        raise InvalidNet("; ".join(problems))
    return net


def _name_problems(net: Net) -> list[str]:
    names = [layer.name for layer in net.layers]
    blobs = [source.name for source in net.inputs] + [top for layer in net.layers for top in layer.tops]
    return [f"layer name {name!r} stands twice" for name in _repeated(names)] + [
        f"blob {blob!r} has two producers" for blob in _repeated(blobs)
    ]


def _repeated(names: list[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # add returns None


def _order_problems(net: Net) -> list[str]:
    made = {source.name for source in net.inputs}
    problems = []
    for layer in net.layers:
        problems += [f"{layer.name} reads {b!r}, which nothing before it makes" for b in layer.bottoms if b not in made]
        made.update(layer.tops)
    return problems


def _shape_problems(net: Net) -> list[str]:
    try:
        net.shapes  # noqa: B018 - infers every shape
    except (BadOp, ValueError) as error:
        return [str(error)]
    return []


def _reference_problems(net: Net) -> list[str]:
    missing = [f"output {output.blob!r} does not exist" for output in net.outputs if output.blob not in net.shapes]
    return missing + [f"mirror {blob!r} does not exist" for blob in net.mirrors if blob not in net.shapes]
