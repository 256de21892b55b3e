"""The choice of compiler as a table in a file: `[toolchain]` in torch2om.toml.

[toolchain]
runner = "ssh"
host = "user@build-machine"
tool = "/usr/local/Ascend/ascend-toolkit/latest/bin/atc"
timeout = 7200
option = ["precision_mode=allow_fp32_to_fp16"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch2om.errors import Diagnostic, Problems, UsageError
from torch2om.toolchain.compilation import HOUR, Order
from torch2om.toolchain.options import CompileOptions
from torch2om.toolchain.runner import Container, Host, Local, Ssh

FILE, TABLE = "torch2om.toml", "toolchain"


@dataclass(frozen=True)
class Settings:
    """Where the compiler runs and with what; a field that is empty says nothing."""

    runner: str = ""
    tool: str = ""
    image: str = ""
    engine: str = ""
    host: str = ""
    timeout: float = 0
    option: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def over(self, other: Settings) -> Settings:
        """Return these settings, completed by others; of an option given in both, these win."""
        named = {pair.partition("=")[0] for pair in self.option}
        more = tuple(pair for pair in other.option if pair.partition("=")[0] not in named)
        plain = {item.name: getattr(self, item.name) or getattr(other, item.name) for item in fields(Settings)}
        return Settings(**{**plain, "option": self.option + more, "extra": self.extra + other.extra})


def read_settings(file: Path | None = None) -> Settings:
    """Return the table of a file; without a name that of ./torch2om.toml, if there is one.

    Raises `UsageError` (K906).
    """
    path = Path(FILE) if file is None else file
    if file is None and not path.is_file():
        return Settings()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(TABLE, {})
    except OSError as error:
        raise UsageError(Diagnostic("K906", f"{path}: {error.strerror}")) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(Diagnostic("K906", f"{path}: {error}")) from error
    return _settings(path, table)


def _settings(path: Path, table: Any) -> Settings:  # Any: parsed TOML
    if not isinstance(table, dict):
        raise UsageError(Diagnostic("K906", f"{path}: {TABLE} is no table"))
    problems = Problems()
    for name, value in table.items():
        wrong = _problem(name, value)
        if wrong:
            problems.add(Diagnostic("K906", f"{path}: [{TABLE}] {wrong}"))
    problems.raise_as(UsageError)
    given: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in table.items()}
    return Settings(**given)


def _problem(name: str, value: object) -> str:
    known: Mapping[str, object] = {item.name: item.default for item in fields(Settings)}
    if name not in known:
        close = get_close_matches(name, known, n=1)
        return f"has no {name!r}" + (f"; did you mean {close[0]}?" if close else f"; it has {', '.join(known)}")
    if isinstance(known[name], tuple):
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if fits else f"{name} is not a list of texts"
    if isinstance(known[name], str):
        return "" if isinstance(value, str) else f"{name} is not a text"
    fits = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return "" if fits else f"{name} is not a number of seconds"


def order(settings: Settings, target: str, soc: str) -> Order:
    """Return the order that the settings make; raises `UsageError` (K911) for what they cannot mean."""
    options = CompileOptions.parse(settings.option, settings.extra)
    return Order(target, soc, options, host(settings), settings.tool, settings.timeout or HOUR)


def host(settings: Settings) -> Host:
    """Return where the compiler runs; an image alone means a container, a host alone ssh."""
    guess = "container" if settings.image else "ssh" if settings.host else "local"
    name = settings.runner or guess
    if name not in _RUNNERS:
        raise UsageError(Diagnostic("K911", f"there is no runner {name!r}", hint=f"one of {', '.join(_RUNNERS)}"))
    return _RUNNERS[name](settings)


def _container(settings: Settings) -> Host:
    engine = settings.engine or "docker"
    if engine not in {"docker", "podman"}:
        raise UsageError(Diagnostic("K911", f"--engine {engine} is neither docker nor podman"))
    if not settings.image or settings.image.startswith("-"):
        raise UsageError(Diagnostic("K911", "a container needs an image", hint="name it with --image"))
    return Container(settings.image, engine)


def _ssh(settings: Settings) -> Host:
    if not re.fullmatch(r"[^\s:-][^\s:]*", settings.host):
        text = f"{settings.host!r} names no machine for ssh"
        hint = "write --host user@board; ports and keys belong into ~/.ssh/config"
        raise UsageError(Diagnostic("K911", text, hint=hint))
    return Ssh(settings.host)


_RUNNERS: Mapping[str, Callable[[Settings], Host]] = {
    "local": lambda _: Local(),
    "container": _container,
    "ssh": _ssh,
}
