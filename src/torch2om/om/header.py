"""The 256 bytes with which every om begins."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from torch2om.errors import Diagnostic, OmFileError

MAGIC = b"IMOD"
SIZE = 256
FIRST, SECOND = 0x10000000, 0x20000000
"""The two versions: DDK, CANN 20.x and Kirin write the first, CANN 5 and later the second."""

FLOW, BUNDLE = 3, 5  # model types of the second version
_ONCE = struct.Struct("<4sII64sIBBBB32sI32sI")  # up to om_ir_version, the same in both versions
_PLATFORM = 20  # bytes, right behind the common part in the first version
_SECOND = struct.Struct("<I20sB3xQBB")


@dataclass(frozen=True, slots=True)
class Header:
    """What the head says: GE inc/framework/common/framework_types_internal.h, ModelFileHeader.

    `payload` is the number of bytes after the head; `is_wide` whether offsets and sizes have 64 bits.
    """

    version: int
    name: str
    platform: str
    payload: int
    model_type: int
    ir_version: int
    model_count: int = 1
    is_encrypted: bool = False
    is_checked: bool = True
    is_online: bool = False
    is_wide: bool = False
    is_dynamic: bool = False
    needs_host_check: bool = False


def read_header(data: memoryview) -> Header:
    """Return the head of a file whose magic was recognized; raises `OmFileError` (O803, O808)."""
    if len(data) < SIZE:
        raise OmFileError(Diagnostic("O803", f"the file has {len(data)} bytes, an om's head alone has {SIZE}"))
    _, size, version, _, length, encrypted, unchecked, kind, mode, name, _, _, ir = _ONCE.unpack_from(data)
    if size != SIZE or version not in (FIRST, SECOND):
        text = f"the head says that it has {size} bytes and version {version:#x}: not one that is known"
        raise OmFileError(Diagnostic("O808", text))
    common = Header(
        version=version,
        name=_text(name),
        platform=_text(data[_ONCE.size : _ONCE.size + _PLATFORM].tobytes()),
        payload=length,
        model_type=kind,
        ir_version=ir,
        is_encrypted=encrypted != 0,
        is_checked=unchecked == 0,
        is_online=mode != 0,
    )
    return common if version == FIRST else _second(data, common)


def _second(data: memoryview, common: Header) -> Header:
    """Add what the second version says behind the common part."""
    count, platform, _, length, host_check, dynamic = _SECOND.unpack_from(data, _ONCE.size)
    return replace(
        common,
        platform=_text(platform),
        payload=length or common.payload,
        model_count=max(count, 1),
        is_wide=length != 0 or common.model_type == FLOW,
        is_dynamic=dynamic != 0,
        needs_host_check=host_check != 0,
    )


def _text(padded: bytes) -> str:
    return padded.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
