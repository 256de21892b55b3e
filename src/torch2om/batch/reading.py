"""LIST.toml as a list: everything that is wrong with it is collected, and raised once.

A list reads::

    out = "out"                      # each model's files come into out/NAME/TARGET, the table into out/
    targets = ["caffe", "ascend310"]
    jobs = 2                         # how many models at once
    samples = 2                      # seeded inputs to compare on
    keep_files = true                # false: the table alone is wanted

    [limits]                         # of one model, all its targets together
    seconds = 900
    memory = "12 GiB"

    [[model]]
    name = "net"                     # else after MODEL
    model = "package.module:callable"
    weights = "best.pth"
    inputs = {x = [1, 3, 224, 224]}  # or "x=1x3x224x224", a list of such texts, or a list of dims in order
    targets = ["opencv"]             # instead of the list's
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from torch2om.batch.listing import Input, Job, Limits, Listing
from torch2om.batch.process import can_watch_memory
from torch2om.errors import Diagnostic, Problems, Torch2omError, UsageError
from torch2om.named_models import is_prototxt, named_shape
from torch2om.pipeline import Request
from torch2om.targets import target as find_target

LIST_KEYS = ("out", "targets", "jobs", "samples", "keep_files", "limits", "model")
LIMIT_KEYS = ("seconds", "memory")
MODEL_KEYS = ("name", "model", "weights", "inputs", "targets", "samples")
UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)")

T = TypeVar("T")
Values = Mapping[str, Any]  # Any: whatever TOML holds
DEFAULT_TARGETS: tuple[str, ...] = ("ascend310",)
NO_ENTRIES: list[Values] = []
NO_INPUTS: tuple[Input, ...] = ()


class Unfit(Exception):  # noqa: N818 - what the value is
    """A value is not of the kind that its key takes; the text goes on after the key's name."""


@dataclass(frozen=True)
class _Table:
    """One table of the list: its values, and where it stands, for messages."""

    values: Values
    where: str
    problems: Problems

    def refuse(self, text: str, code: str = "U151", hint: str = "") -> None:
        """Remember what is wrong here."""
        self.problems.add(Diagnostic(code, f"{self.where}: {text}", hint=hint))

    def know(self, keys: tuple[str, ...]) -> None:
        """Refuse every key that is none of these."""
        for key in self.values:
            if key not in keys:
                near = get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]}?" if near else f"keys here are {', '.join(keys)}"
                self.refuse(f"there is no key {key!r}", "U152", hint)

    def take(self, key: str, read: Callable[[Any], T], default: T) -> T:  # Any: as above
        """Return a key's value as `read` understands it; what it cannot is refused with its words."""
        if key not in self.values:
            return default
        try:
            return read(self.values[key])
        except Unfit as error:
            self.refuse(f"{key} {error}")
        except Torch2omError as error:
            for found in error.diagnostics:
                self.refuse(found.message, found.code, found.hint)
        return default


def read_list(path: Path, processes: int | None = None) -> Listing:
    """Return the list in a file; `processes` overrules its `jobs`.

    Raises `UsageError`: a file that cannot be read (U133), no TOML or a value of another kind (U151), unknown keys
    (U152), names that stand twice (U153), and whatever is wrong with models, inputs and targets.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error
    except ValueError as error:  # of tomllib, or of a text that is not UTF-8
        raise UsageError(Diagnostic("U151", f"{path} is no TOML: {error}")) from error
    problems = Problems()
    listing = _listing(_Table(values, str(path), problems), path.parent.resolve())
    problems.raise_as(UsageError)
    return listing if processes is None else replace(listing, processes=processes)


def _listing(table: _Table, folder: Path) -> Listing:
    table.know(LIST_KEYS)
    targets = table.take("targets", _targets, DEFAULT_TARGETS)
    samples = table.take("samples", _positive, 2)
    entries = table.take("model", _tables, NO_ENTRIES)
    if not entries:
        table.refuse(
            "it lists no model", hint='begin each with a line [[model]], then model = "package.module:callable"'
        )
    jobs = tuple(
        _job(_Table(each, f"{table.where}: {_title(index, each)}", table.problems), folder, targets, samples)
        for index, each in enumerate(entries, 1)
    )
    _refuse_twice(table, jobs)
    limits = _limits(_Table(table.take("limits", _table, {}), f"{table.where}: [limits]", table.problems))
    return Listing(
        folder,
        Path(table.take("out", _text, "out")),
        jobs,
        limits,
        table.take("jobs", _positive, 1),
        table.take("keep_files", _truth, True),
    )


def _title(index: int, entry: Values) -> str:
    named = entry.get("name", entry.get("model"))
    return f"model {index}" + (f" ({named})" if isinstance(named, str) else "")


def _limits(table: _Table) -> Limits:
    table.know(LIMIT_KEYS)
    limits = Limits(table.take("seconds", _seconds, None), table.take("memory", bytes_of, None))
    if limits.memory is not None and not can_watch_memory():
        table.refuse("this system does not tell how much memory a process has (Linux does)", hint="leave memory out")
    return limits


def _job(table: _Table, folder: Path, targets: tuple[str, ...], samples: int) -> Job:
    table.know(MODEL_KEYS)
    model = table.take("model", _text, "")
    if not model:
        table.refuse("there is no key model", hint="name the model as torch2om convert takes it")
    inputs = table.take("inputs", _inputs, NO_INPUTS)
    if inputs and is_prototxt(model):
        table.refuse(f"{model} is a Caffe file: it says its inputs' dims itself", "U112")
    job = Job(
        table.take("name", _text, _stem(model)),
        model,
        table.take("weights", _text, ""),
        inputs,
        table.take("targets", _targets, targets),
        table.take("samples", _positive, samples),
    )
    for file in _files(job):
        if not (folder / file).is_file():
            table.refuse(f"there is no file {folder / file}", "U133")
    if model:
        table.take("name" if "name" in table.values else "model", lambda _: Request(name=job.name), None)
    return job


def _stem(model: str) -> str:
    """Return the name that a MODEL gives its files: the callable's, or the file's."""
    place, colon, name = model.rpartition(":")
    return name if colon and place else Path(model).stem


def _files(job: Job) -> Iterator[str]:
    """Yield the files that an entry names; whether a module exists is seen where it is imported."""
    place, colon, _ = job.model.rpartition(":")
    if colon and place.endswith(".py"):
        yield place
    elif not colon and job.model:
        yield job.model
    if job.weights:
        yield job.weights


def _refuse_twice(table: _Table, jobs: tuple[Job, ...]) -> None:
    names = [job.name for job in jobs]
    for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
        who = ", ".join(str(index) for index, each in enumerate(names, 1) if each == name)
        table.refuse(f"models {who} are all named {name!r}", "U153", "give each a name of its own: name = ...")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit(f"is {_kind(value)}, not a text")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit(f"is {_kind(value)}, neither true nor false")
    return value


def _positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Unfit(f"is {_kind(value)}, not a whole number above 0")
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise Unfit(f"is {_kind(value)}, not a number of seconds above 0")
    return float(value)


def bytes_of(value: Any) -> int:
    """Return the bytes of `12 GiB`, `500 MB` or a plain number of bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[2].upper() not in UNITS or not float(found[1]):
        raise Unfit(f'is {_kind(value)}, not a size such as "12 GiB"')
    return int(float(found[1]) * UNITS[found[2].upper()])


def _table(value: Any) -> Values:
    if not isinstance(value, dict):
        raise Unfit(f"is {_kind(value)}, not a table")
    return value


def _tables(value: Any) -> list[Values]:
    if not isinstance(value, list):
        raise Unfit(f"is {_kind(value)}, not entries that each begin with [[model]]")
    return [_table(each) for each in value]


def _targets(value: Any) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise Unfit(f"is {_kind(value)}, not a list of targets")
    return tuple(dict.fromkeys(find_target(_text(each)).name for each in given))


def _inputs(value: Any) -> tuple[Input, ...]:
    if isinstance(value, dict):
        return tuple(Input(name, _dims(dims)) for name, dims in value.items())
    given = [value] if isinstance(value, str) else value
    if isinstance(given, list) and given and all(isinstance(each, str) for each in given):
        return tuple(Input(*named_shape(each)) for each in given)
    if isinstance(given, list) and given and all(isinstance(each, list) for each in given):
        return tuple(Input("", _dims(each)) for each in given)
    raise Unfit(f"is {_kind(value)}, not inputs: write inputs = {{x = [1, 3, 224, 224]}}")


def _dims(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(isinstance(each, int) and each > 0 for each in value):
        raise Unfit(f"has the dims {value!r}, not a list of whole numbers above 0")
    return tuple(value)


def _kind(value: Any) -> str:
    return f"{value!r}" if isinstance(value, str | int | float) else f"a {type(value).__name__}"
