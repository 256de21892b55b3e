"""Weights files: state dicts in .pth, .pt, .bin and .safetensors, and the wrappings of training scripts."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from torch2om.errors import Diagnostic, Severity, UsageError
from torch2om.program import Model

# Under these keys training scripts keep the state dict in a checkpoint; averages over training where nothing else is.
_HOLDERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "state_dict_ema", "model_ema", "ema")
# Wrappers put these before every key: (Distributed)DataParallel, torch.compile, Lightning modules.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "ema.")

# What torch.save writes begins with: its present format, which can be mapped into memory, and the one before 1.6.
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"

StateDict = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """What was loaded: the file, how many tensors, and what was taken off on the way (`['state_dict']`, `module.`)."""

    path: Path
    tensors: int
    wrappings: tuple[str, ...]

    def notes(self) -> tuple[Diagnostic, ...]:
        """One note if the file was understood through wrappings."""
        if not self.wrappings:
            return ()
        text = f"{self.path} was read through its wrapping {', '.join(self.wrappings)}"
        return (Diagnostic("U124", text, severity=Severity.NOTE),)


def load_weights(model: Model, path: str | Path) -> WeightsReport:
    """Load a weights file into the model; every key must be there, none left over, every shape equal.

    Raises `UsageError`: unreadable (U121), a pickle that runs code (U122), another model's weights (U123).
    """
    file = Path(path)
    if not isinstance(model, nn.Module):
        text = f"an exported program has its own weights; {file} cannot take their place"
        raise UsageError(Diagnostic("U123", text, hint="load the weights before torch.export"))
    state, wrappings = _unwrapped(_read(file), set(model.state_dict()), file)
    state = _renewed(model, state)
    _compare(model.state_dict(), state, file)
    model.load_state_dict(dict(state), strict=False)  # compared above; old files lack the batch counters
    return WeightsReport(file, len(state), wrappings)


def _read(file: Path) -> Any:  # Any: whatever the file holds
    if not file.is_file():
        raise UsageError(Diagnostic("U121", f"there is no file {file}"))
    return _read_safetensors(file) if file.suffix == ".safetensors" else _read_pickle(file)


def _read_safetensors(file: Path) -> StateDict:
    try:
        from safetensors.torch import load_file  # noqa: PLC0415 - part of the torch extra, needed for this format alone
    except ImportError as error:
        hint = "pip install safetensors"
        raise UsageError(Diagnostic("U121", f"{file} needs the package safetensors", hint=hint)) from error
    try:
        return load_file(file)
    except Exception as error:
        raise UsageError(Diagnostic("U121", f"{file} is not a readable .safetensors file: {error}")) from error


def _read_pickle(file: Path) -> Any:  # Any: whatever the file holds
    with file.open("rb") as stream:
        start = stream.read(4)
    if start != _ZIP and start[:1] != _PICKLE:
        hint = "a git-lfs pointer or an HTML page under this name is a usual cause"
        raise UsageError(Diagnostic("U121", f"{file} is no file of torch.save", hint=hint))
    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=start == _ZIP)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower():
            raise UsageError(Diagnostic("U121", f"{file} is not a weights file: {error}")) from error
        text = f"{file} holds more than tensors, and loading it would run code from it"
        hint = "where it was made: torch.save(model.state_dict(), 'weights.pth'); then give that file"
        raise UsageError(Diagnostic("U122", text, hint=hint, details=_culprit(error))) from error
    except Exception as error:
        text = f"{file} is not a weights file: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise UsageError(Diagnostic("U121", text)) from error


def _culprit(error: Exception) -> tuple[str, ...]:
    """Return PyTorch's line that names what it refuses."""
    lines = [line.strip() for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line]
    return tuple(lines[:1])


def _unwrapped(
    content: Any,  # Any: whatever the file holds
    wanted: set[str],
    file: Path,
) -> tuple[StateDict, tuple[str, ...]]:
    """Return the state dict inside, and what was taken off."""
    wrappings: list[str] = []
    while not _is_state_dict(content):
        holder = _holder(content)
        if holder is None:
            raise UsageError(Diagnostic("U121", f"{file} holds no state_dict, but {_described(content)}"))
        content = content[holder]
        wrappings.append(f"[{holder!r}]")
    for prefix in _prefixes(content, wanted):
        content = {key.removeprefix(prefix): value for key, value in content.items()}
        wrappings.append(prefix)
    return content, tuple(wrappings)


def _holder(content: Any) -> str | None:  # Any: a file's content
    known = _HOLDERS if isinstance(content, Mapping) else ()
    return next((key for key in known if isinstance(content.get(key), Mapping)), None)


def _described(content: Any) -> str:  # Any: a file's content
    if isinstance(content, Mapping):
        return f"a dict with the keys {', '.join(map(str, list(content)[:8]))}"
    return f"a {type(content).__name__}"


def _is_state_dict(content: Any) -> bool:  # Any: a file's content
    return (
        isinstance(content, Mapping)
        and len(content) > 0
        and all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items())
    )


def _prefixes(state: StateDict, wanted: set[str]) -> Iterator[str]:
    """Yield the prefixes that all keys have and the model's keys have not."""
    keys = set(state)
    while keys and not keys & wanted:
        prefix = next((known for known in _PREFIXES if all(key.startswith(known) for key in keys)), None)
        if prefix is None:
            return
        yield prefix
        keys = {key.removeprefix(prefix) for key in keys}


def _renewed(model: nn.Module, state: StateDict) -> StateDict:
    """Return the state dict of an older version of the model's classes with the names of this one.

    Classes rename what they find of older versions while they load (torchvision's detection heads do), so a copy of
    the model without memory of its own loads it first. What fits is left as it is, and so is what cannot be loaded.
    """
    if set(state) >= {name for name in model.state_dict() if not name.endswith("num_batches_tracked")}:
        return state
    own = {id(value): nn.Parameter(value.to("meta"), requires_grad=False) for value in model.parameters()}
    try:
        shell = copy.deepcopy(model, {**own, **{id(value): value.to("meta") for value in model.buffers()}})
        unexpected = shell.load_state_dict(state, strict=False, assign=True).unexpected_keys
    except (RuntimeError, TypeError):  # shapes differ, or a model that cannot be copied: the comparison has the word
        return state
    loaded = {name: value for name, value in shell.state_dict().items() if not value.is_meta}
    return {**loaded, **{name: state[name] for name in unexpected}}


def _compare(wanted: StateDict, given: StateDict, file: Path) -> None:
    """Raise `UsageError` with every key that is missing, unexpected, or of another shape."""
    counted = {key for key in wanted if key.endswith("num_batches_tracked")}
    missing = [key for key in wanted if key not in given and key not in counted]
    unexpected = [key for key in given if key not in wanted]
    shaped = [key for key in wanted if key in given and wanted[key].shape != given[key].shape]
    if not (missing or unexpected or shaped):
        return
    details = [
        *(f"missing: {key} {list(wanted[key].shape)}" for key in missing),
        *(f"unexpected: {key} {list(given[key].shape)}" for key in unexpected),
        *(f"shape: {key} is {list(given[key].shape)}, the model has {list(wanted[key].shape)}" for key in shaped),
    ]
    counts = f"{len(missing)} missing, {len(unexpected)} unexpected, {len(shaped)} of another shape"
    raise UsageError(Diagnostic("U123", f"{file} does not fit the model: {counts}", details=tuple(details)))
