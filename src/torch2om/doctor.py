"""doctor: what is installed, what is missing or too old, and what to do about it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from importlib.util import find_spec

from packaging.requirements import Requirement

from torch2om.errors import Torch2omError
from torch2om.toolchain.places import REMEDIES
from torch2om.toolchain.search import find_here
from torch2om.toolchain.tool import TOOLS
from torch2om.version import __version__

PACKAGE = "torch2om"
PURPOSES = {
    "torch": "convert, verify and analyze of PyTorch models",
    "safetensors": ".safetensors weights",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what, what was found, whether it is well, whether torch2om cannot do without."""

    what: str
    found: str
    healthy: bool
    needed: bool
    remedy: str = ""


def has_torch() -> bool:
    """Whether PyTorch can be imported, without importing it."""
    return find_spec("torch") is not None


def examine() -> tuple[Finding, ...]:
    """Return the findings: this program, Python, each dependency, each plugin of lowerings."""
    try:
        return (*_platform(), *_dependencies(requires(PACKAGE) or ()), *_compilers(), *_plugins())
    except PackageNotFoundError:
        remedy = "install it: pip install -e . in its folder"
        installation = Finding("installation", "none: run from its source", False, True, remedy)
        return (*_platform(), installation, *_compilers(), *_plugins())


def _platform() -> Iterator[Finding]:
    yield Finding(PACKAGE, __version__, True, True)
    yield Finding("Python", f"{platform.python_version()} on {platform.platform(terse=True)}", True, True)


def _dependencies(requirements: Iterable[str]) -> Iterator[Finding]:
    """Yield one finding per requirement of the package's own metadata: the needed ones, and the extra `torch`."""
    for text in requirements:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": "torch"}):
            yield _dependency(requirement, needed=marker is None)


def _dependency(requirement: Requirement, *, needed: bool) -> Finding:
    purpose = PURPOSES.get(requirement.name, "")
    what = f"{requirement.name} ({purpose})" if purpose else requirement.name
    remedy = "pip install 'torch2om[torch]'" if purpose else f"pip install '{requirement.name}{requirement.specifier}'"
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return Finding(what, "not installed", False, needed, remedy)
    if not requirement.specifier.contains(found, prereleases=True):
        return Finding(what, f"{found}, needs {requirement.specifier}", False, needed, remedy)
    return Finding(what, found, True, needed)


def _compilers() -> Iterator[Finding]:
    """Yield one finding per compiler of om files; compile.sh, a container or ssh do without one here."""
    for tool in TOOLS:
        path = find_here(tool)
        yield Finding(f"{tool} (om files)", path or "not found here", bool(path), False, "" if path else REMEDIES[tool])


def _plugins() -> Iterator[Finding]:
    """Yield one finding per package that brings lowerings of its own."""
    if not has_torch():
        return
    from torch2om.lowering.plugins import GROUP, lowerings_of  # noqa: PLC0415 - needs torch

    for point in entry_points(group=GROUP):
        what = f"lowerings of {point.dist.name if point.dist else point.value}"
        try:
            yield Finding(what, f"{len(lowerings_of(point))} operators", True, False)
        except Torch2omError as error:
            first = error.diagnostics[0]
            yield Finding(what, first.message, False, False, first.hint)
