"""The numbers of data types and layouts: protobuf's and C++'s enumerations differ.

Sources: GE graph_metadef/proto/ge_ir.proto (DataType), GE inc/external/graph/types.h (DataType, Format).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Number = np.dtype[Any]  # Any: the file chooses the number type

_PROTO: Mapping[int, str] = {
    0: "undefined", 1: "float32", 2: "float16", 3: "int8", 4: "uint8", 5: "int16", 6: "uint16", 7: "int32",
    8: "int64", 9: "uint32", 10: "uint64", 11: "bool", 12: "float64", 13: "string", 16: "complex64",
    17: "complex128", 18: "qint8", 19: "qint16", 20: "qint32", 21: "quint8", 22: "quint16", 27: "bfloat16",
    28: "int4", 29: "uint1", 30: "int2", 31: "uint2", 33: "hifloat8", 34: "float8_e5m2", 35: "float8_e4m3fn",
}  # fmt: skip
_CPP: Mapping[int, str] = {
    0: "float32", 1: "float16", 2: "int8", 3: "int32", 4: "uint8", 6: "int16", 7: "uint16", 8: "uint32", 9: "int64",
    10: "uint64", 11: "float64", 12: "bool", 13: "string", 16: "complex64", 17: "complex128", 18: "qint8",
    19: "qint16", 20: "qint32", 21: "quint8", 22: "quint16", 27: "bfloat16", 28: "undefined", 29: "int4",
    30: "uint1", 31: "int2", 32: "uint2",
}  # fmt: skip
_FORMATS: Mapping[int, str] = {
    0: "NCHW", 1: "NHWC", 2: "ND", 3: "NC1HWC0", 4: "FRACTAL_Z", 5: "NC1C0HWPAD", 6: "NHWC1C0", 12: "NC1HWC0_C04",
    13: "FRACTAL_Z_C04", 14: "CHWN", 16: "HWCN", 17: "NC1KHKWHWC0", 27: "NDHWC", 29: "FRACTAL_NZ", 30: "NCDHW",
    31: "DHWCN", 32: "NDC1HWC0", 33: "FRACTAL_Z_3D", 34: "CN", 35: "NC", 39: "FRACTAL_Z_G", 40: "FORMAT_RESERVED",
    47: "NCL",
}  # fmt: skip
_PRIMARY = 0xFF  # bits 0 to 7 of a format; above them stand the group count and C0

NUMBERS: Mapping[str, Number] = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        "float16", "float32", "float64", "int8", "int16", "int32", "int64",
        "uint8", "uint16", "uint32", "uint64", "bool", "complex64", "complex128",
    )
}  # fmt: skip
"""The data types that numpy has."""


def proto_type(number: int) -> str:
    """Return the name of a data type as ModelDef numbers it."""
    return _PROTO.get(number, f"type {number}")


def cpp_type(number: int) -> str:
    """Return the name of a data type as ge::DataType numbers it."""
    return _CPP.get(number, f"type {number}")


def cpp_format(number: int) -> str:
    """Return the name of a layout as ge::Format numbers it."""
    return _FORMATS.get(number & _PRIMARY, f"format {number}")


def item_size(name: str) -> int:
    """Return the bytes of one number of a data type; 0 where a number is no whole byte, or nobody knows."""
    return 2 if name == "bfloat16" else NUMBERS[name].itemsize if name in NUMBERS else 0
