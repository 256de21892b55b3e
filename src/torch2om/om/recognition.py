"""What a file is that calls itself an om: the first bytes tell."""

from __future__ import annotations

from collections.abc import Mapping

from torch2om.errors import Diagnostic, OmFileError
from torch2om.om.header import BUNDLE, MAGIC, SECOND, SIZE, Header

_POINTER = b"version https://git-lfs"
_KINDS: Mapping[bytes, tuple[str, str]] = {
    _POINTER: ("O802", "a git-lfs pointer, a text of a few lines that stands for the file"),
    b"PICO": ("O805", "an om of HiSilicon's SVP_NNN compiler (Hi3519DV500, Hi3403, SS928): another format"),
    b"PK\x03\x04": ("O806", "a zip: an OM2 package (atc --mode=7), or a downloaded archive"),
    b"<!DOCTYPE": ("O801", "an HTML page, as a download that failed leaves it"),
    b"<html": ("O801", "an HTML page, as a download that failed leaves it"),
}


def refuse_other_kinds(data: memoryview) -> None:
    """Raise `OmFileError` (O801, O802, O805, O806) if the file does not begin as an om of Ascend or Kirin does."""
    begin = bytes(data[: len(_POINTER)])
    if begin.startswith(MAGIC):
        return
    if not begin:
        raise OmFileError(Diagnostic("O801", "the file is empty"))
    for magic, (code, what) in _KINDS.items():
        if begin.startswith(magic):
            raise OmFileError(Diagnostic(code, f"this is {what}"))
    raise OmFileError(Diagnostic("O801", f"it begins with {begin[:8].hex(' ')}; an om begins with 49 4d 4f 44 (IMOD)"))


def refuse_unreadable(header: Header, size: int) -> None:
    """Raise `OmFileError` for an om that cannot be read: O803 truncated, O804 encrypted, O807 a bundle, O808 too long.

    The runtime refuses a file of another length than its head says too (E10001; GE base/common/helper).
    """
    present = size - SIZE
    if present < header.payload:
        text = f"{present} of {header.payload} bytes behind the head are there"
        raise OmFileError(Diagnostic("O803", text))
    if present > header.payload:
        text = f"{present} bytes follow the head, which announces {header.payload}"
        raise OmFileError(Diagnostic("O808", text))
    if header.is_encrypted:
        raise OmFileError(Diagnostic("O804", "the head says that what follows is encrypted"))
    if header.version == SECOND and header.model_type == BUNDLE:
        raise OmFileError(Diagnostic("O807", "the head says that the file is a bundle of several om files"))
