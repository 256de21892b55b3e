"""What PyTorch says when it cannot capture a model, as diagnostics at the user's line."""

from __future__ import annotations

import io
import logging
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr

from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from torch2om.errors import CaptureError, Diagnostic
from torch2om.origin import Origin
from torch2om.program.lineage import Frame, users_frame

# How torch.export spells "this Python bool depends on a tensor": Eq(u0, 1).
_TRUTH = re.compile(r"data-dependent expression Eq\([a-z]+\d+, 1\)")
_MOST_TEXT = 400
_PACKING = "torch/nn/utils/rnn.py"  # where PyTorch packs sequences


@contextmanager
def quiet() -> Iterator[None]:
    """Keep PyTorch's warnings and logs from the user's terminal; its exceptions say all that is of use.

    torch.export prints the graph so far when it fails: what is written to stderr is passed on if nothing was raised.
    """
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    written = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stderr(written):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
    sys.stderr.write(written.getvalue())


def explain(error: Exception, rerun: Callable[[], object], fed: str) -> CaptureError:
    """Return what went wrong in an export: the model's own exception (C207), a branch on data (C201), a shape (C202).

    `rerun` runs the model as it is on `fed`: an exception from there is the model's own, not torch.export's (C203).
    """
    if isinstance(error, GuardOnDataDependentSymNode):
        return CaptureError(_data_dependent(error))
    try:
        rerun()
    except Exception as own:  # noqa: BLE001 - whatever the model raises is the answer
        hint = f"forward() was called with {fed}"
        return CaptureError(Diagnostic("C207", _sentence(own), origin=origin_of(own), hint=hint))
    if any(frame.filename.endswith(_PACKING) for frame in traceback.extract_tb(error.__traceback__)):
        text = "a packed sequence has a length that depends on its input"
        hint = "feed padded sequences of one length, without pack_padded_sequence"
        return CaptureError(Diagnostic("C202", text, origin=origin_of(error), hint=hint))
    return CaptureError(Diagnostic("C203", _sentence(error), origin=origin_of(error)))


def _data_dependent(error: Exception) -> Diagnostic:
    origin = origin_of(error)
    if _TRUTH.search(str(error)):
        return Diagnostic(
            "C201",
            "the model decides on a tensor's value here, and a net has no branches",
            origin=origin,
            hint="use torch.where or arithmetic, or drop the check",
        )
    text = "the model turns a tensor's value into a Python number here, so the net would change with its input"
    return Diagnostic("C202", text, origin=origin, hint="use a constant, or keep the value a tensor")


def origin_of(error: BaseException) -> Origin:
    """Return the user's line that raised, or that called what raised."""
    summary = traceback.extract_tb(error.__traceback__)
    frame = users_frame(Frame(found.filename, found.lineno or 0, found.line or "") for found in summary)
    return Origin(file=frame.file, line=frame.line, code=frame.code)


def _sentence(error: BaseException) -> str:
    """Return the exception's type and the first paragraph of its text, on one line."""
    paragraph = str(error).strip().split("\n\n")[0]
    text = " ".join(paragraph.split())
    short = text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + " ..."
    return f"{type(error).__name__}: {short}" if short else type(error).__name__
