"""What two om files do not have in common: how they are called, what they compute, where they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from torch2om.om.description import Plain, aipp_record, operator, weight_record
from torch2om.om.layouts import Packed
from torch2om.om.reader import OmFile, OmModel
from torch2om.om.weights import CONSTANTS, Weight

ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: in which section, of what, and how each file has it (`-`: not at all)."""

    section: str
    what: str
    left: str
    right: str


def differences(left: OmFile, right: OmFile) -> tuple[Difference, ...]:
    """Return every difference; addresses of the compiling process are not among what is compared."""
    return tuple(_differences(left, right))


def _differences(left: OmFile, right: OmFile) -> Iterator[Difference]:
    yield from _fields("head", _head(left), _head(right))
    for index, (one, other) in enumerate(zip(left.models, right.models, strict=False)):
        prefix = f"model {index}: " if index else ""
        yield from _models(prefix, one, other)


def _head(om: OmFile) -> Plain:
    head = asdict(om.header)
    head.pop("payload")  # the partitions say more
    return head


def _models(prefix: str, left: OmModel, right: OmModel) -> Iterator[Difference]:
    yield from _fields(f"{prefix}provenance", asdict(left.provenance), asdict(right.provenance))
    yield from _fields(f"{prefix}memory", asdict(left.memory), asdict(right.memory))
    for section in ("inputs", "outputs"):
        ports = [_named(asdict(port) for port in getattr(model.ports, section)) for model in (left, right)]
        yield from _records(f"{prefix}{section}", *ports)
    yield from _fields(f"{prefix}gears", left.ports.gears, right.ports.gears)
    yield from _records(f"{prefix}aipp", *(_named(map(aipp_record, model.aipp), "operator") for model in (left, right)))
    yield from _records(f"{prefix}operators", *(_named(_operators(model)) for model in (left, right)))
    yield from _weights(f"{prefix}weights", left, right)
    yield from _fields(f"{prefix}tasks", left.tasks.types, right.tasks.types)
    yield from _records(f"{prefix}kernels", *(_named(map(asdict, model.kernels)) for model in (left, right)))


def _named(records: Iterable[Plain], key: str = "name") -> Mapping[str, Plain]:
    """Return the records by their names; a name that comes again is counted."""
    seen: Counter[str] = Counter()
    found: dict[str, Plain] = {}
    for record in records:
        name = str(record[key])
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = record
    return found


def _records(section: str, left: Mapping[str, Plain], right: Mapping[str, Plain]) -> Iterator[Difference]:
    """Compare records of one name; one that a file lacks is one difference."""
    for name in {**left, **right}:
        if name not in left or name not in right:
            yield Difference(section, name, *(_presence(name in side) for side in (left, right)))
        elif left[name] != right[name]:
            found = _fields(section, left[name], right[name])
            yield from (Difference(section, f"{name}: {each.what}", each.left, each.right) for each in found)


def _presence(there: bool) -> str:
    return "present" if there else ABSENT


def _fields(section: str, left: Mapping[str, object], right: Mapping[str, object]) -> Iterator[Difference]:
    """Compare fields of one name, those within fields too."""
    for key in {**left, **right}:
        one, other = left.get(key), right.get(key)
        if one == other:
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            inner = _fields(section, one, other)
            yield from (Difference(section, f"{key}.{each.what}", each.left, each.right) for each in inner)
        else:
            yield Difference(section, key, _shown(one), _shown(other))


def _shown(value: object) -> str:
    return ABSENT if value is None else str(value)


def _operators(model: OmModel) -> Iterator[Plain]:
    """Yield the operators but the constants; those go by what reads them, for compilers number them anew each time."""
    for op in model.definition.all_ops():
        if op.type not in CONSTANTS:
            yield {**operator(op), "reads": tuple(_renamed(source, model.readers) for source in op.inputs)}


def _renamed(source: str, readers: Mapping[str, str]) -> str:
    name, _, index = source.rpartition(":")
    return f"{readers[name]}:{index}" if name in readers else source


def _weights(section: str, left: OmModel, right: OmModel) -> Iterator[Difference]:
    sides = [_by_label(model) for model in (left, right)]
    records = [{label: {**weight_record(weight), "name": label} for label, weight in side.items()} for side in sides]
    yield from _records(section, *records)
    for label, one in sides[0].items():
        other = sides[1].get(label)
        if other is not None and records[0][label] == records[1][label] and not _same_bytes(one, other):
            yield Difference(section, f"{label}: numbers", *_extremes(one, other))


def _by_label(model: OmModel) -> Mapping[str, Weight]:
    return {model.readers.get(weight.name, weight.name): weight for weight in model.weights}


def _same_bytes(one: Weight, other: Weight) -> bool:
    return np.array_equal(np.frombuffer(one.data, np.uint8), np.frombuffer(other.data, np.uint8))


def _extremes(one: Weight, other: Weight) -> tuple[str, str]:
    """Return where two arrays of one shape differ most, and the numbers there."""
    try:
        left, right = (weight.array().astype(np.float64).ravel() for weight in (one, other))
    except Packed:
        return "other bytes", "other bytes"
    place = int(np.argmax(np.abs(left - right))) if left.size else 0
    return f"{left[place]:.6g} at {place}", f"{right[place]:.6g} at {place}"
