"""Pixel formats and video standards: the matrices that AIPP gets, and pictures as the bytes that it is fed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from torch2om.errors import Diagnostic, UsageError
from torch2om.preprocessing.config import InputFormat
from torch2om.preprocessing.simulation import Bytes


class PixelFormat(StrEnum):
    """The bytes that the device is fed: interleaved RGB or BGR, YUV 4:2:0 with UV or VU pairs, or gray."""

    RGB = "rgb888"
    BGR = "bgr888"
    NV12 = "yuv420sp-nv12"
    NV21 = "yuv420sp-nv21"
    GRAY = "gray"

    @property
    def is_yuv(self) -> bool:
        """Whether the bytes are YUV420SP."""
        return self in (PixelFormat.NV12, PixelFormat.NV21)

    @property
    def layout(self) -> InputFormat:
        """AIPP's name for the layout of the bytes."""
        if self.is_yuv:
            return InputFormat.YUV420SP
        return InputFormat.YUV400 if self is PixelFormat.GRAY else InputFormat.RGB888


class Order(StrEnum):
    """The order in which the model takes its colour channels."""

    RGB = "rgb"
    BGR = "bgr"


class Standard(StrEnum):
    """How YUV stands for RGB: the weights of the colours, and wide (0..255) or narrow (16..235) light."""

    BT601_NARROW = "bt601-narrow"
    BT601_WIDE = "bt601-wide"
    BT709_NARROW = "bt709-narrow"
    BT709_WIDE = "bt709-wide"


Matrix = tuple[int, ...]  # nine numbers, row by row, in 1/256


@dataclass(frozen=True, slots=True)
class Decoding:
    """RGB = (matrix (YUV - bias)) >> 8."""

    matrix: Matrix
    bias: tuple[int, int, int]

    def to(self, order: Order) -> Matrix:
        """Return the matrix whose rows give the channels in this order."""
        rows = [self.matrix[start : start + 3] for start in (0, 3, 6)]
        return tuple(number for row in (rows if order is Order.RGB else reversed(rows)) for number in row)

    @property
    def to_gray(self) -> Matrix:
        """The matrix whose one channel is the light, stretched to 0..255 where the standard is narrow."""
        return (self.matrix[0], *(0,) * 8)


# ATC manual, AIPP: colour space conversion; the wide BT.601 rows are its JPEG rows.
DECODINGS: Mapping[Standard, Decoding] = MappingProxyType(
    {
        Standard.BT601_NARROW: Decoding((298, 0, 409, 298, -100, -208, 298, 516, 0), (16, 128, 128)),
        Standard.BT601_WIDE: Decoding((256, 0, 359, 256, -88, -183, 256, 454, 0), (0, 128, 128)),
        Standard.BT709_NARROW: Decoding((298, 0, 459, 298, -55, -136, 298, 541, 0), (16, 128, 128)),
        Standard.BT709_WIDE: Decoding((256, 0, 403, 256, -48, -120, 256, 475, 0), (0, 128, 128)),
    }
)


def standard_of(matrix: Matrix, bias: tuple[int, ...]) -> Standard:
    """Return the standard that a colour conversion decodes; without a conversion YUV itself is the net's input, wide.

    Raises `UsageError` (P814) for numbers of no standard.
    """
    if not matrix:
        return Standard.BT601_WIDE
    for standard, decoding in DECODINGS.items():
        known = (decoding.to(Order.RGB), decoding.to(Order.BGR), decoding.to_gray)
        if matrix == LIGHT_OF_RGB or (matrix in known and bias == decoding.bias):
            return standard
    text = "the matrix of the AIPP is that of no video standard, so that a picture cannot be made into its YUV"
    raise UsageError(Diagnostic("P814", text, hint="give the bytes as .npy or .bin"))


LIGHT_OF_RGB: Matrix = (76, 150, 30, *(0,) * 6)  # gray = (76 R + 150 G + 30 B) >> 8

_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}  # of R and B in the light (ITU-R BT.601, BT.709)


def pixel_format(text: str) -> PixelFormat:
    """Return the format of that name; `nv12` and `nv21` will do. Raises `UsageError` (P814)."""
    names = [*PixelFormat, "nv12", "nv21"]
    if text not in names:
        near = get_close_matches(text.lower(), names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else ""
        raise UsageError(Diagnostic("P814", f"there is no input format {text!r}: {', '.join(PixelFormat)}", hint=hint))
    return PixelFormat(text if text in list(PixelFormat) else f"yuv420sp-{text}")


def gray_of(rgb: Bytes) -> Bytes:
    """Return the light of (h, w, 3) as Pillow's convert("L") computes it, and so torchvision's Grayscale."""
    weighted = rgb.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
    return (weighted + (1 << 15) >> 16).astype(np.uint8)


def encoded(rgb: Bytes, form: PixelFormat, standard: Standard) -> Bytes:
    """Return the picture (h, w, 3) as one picture in bytes of that format: (1, h, w, 3 or 1), YUV (1, 3h/2, w)."""
    match form:
        case PixelFormat.RGB:
            return rgb[None]
        case PixelFormat.BGR:
            return rgb[None, ..., ::-1]
        case PixelFormat.GRAY:
            return gray_of(rgb)[None, ..., None]
    light, colours = _yuv(rgb, standard)
    ordered = colours if form is PixelFormat.NV12 else colours[..., ::-1]
    return np.concatenate([light, ordered.reshape(len(light) // 2, -1)])[None]


def _yuv(rgb: Bytes, standard: Standard) -> tuple[Bytes, Bytes]:
    """Return Y (h, w), and U and V (h/2, w/2, 2) as the mean of each 2x2 block; each rounded to the nearest byte."""
    family, reach = standard.split("-")
    red, blue = _WEIGHTS[family]
    lights, colours, black = (219 / 255, 224 / 255, 16) if reach == "narrow" else (1.0, 1.0, 0)
    y = rgb @ np.array([red, 1 - red - blue, blue])
    u, v = (rgb[..., 2] - y) / (2 * (1 - blue)), (rgb[..., 0] - y) / (2 * (1 - red))
    chroma = np.stack([u, v], axis=-1)
    height, width = y.shape
    blocks = chroma.reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    return _byte(y * lights + black), _byte(blocks * colours + 128)


def _byte(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Bytes:
    return np.rint(values).clip(0, 255).astype(np.uint8)
