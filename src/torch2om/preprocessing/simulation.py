"""What AIPP computes, in numpy: swap, crop, colour conversion in integers, normalization in float16, padding.

The order and the formulas are the ATC manual's. Three things no document says, and this is how they are taken: the
colour of 2x2 pixels of YUV420SP is repeated, not interpolated; the colour conversion's `>> 8` rounds down and its
result is cut to 0..255; every step of the normalization is rounded to float16, its constants too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.errors import Diagnostic, PreprocessingError
from torch2om.ir.op import Array, Shape
from torch2om.ir.text import shape_text
from torch2om.preprocessing.config import AippConfig, InputFormat
from torch2om.preprocessing.geometry import Geometry, fed_shape, fitting, geometry_of
from torch2om.preprocessing.limits import checked

Bytes = npt.NDArray[np.uint8]
Width = np.dtype[np.floating[Any]]  # Any: float16 as the device computes, float64 for the formula's meaning


def simulate(config: AippConfig, fed: Bytes, shape: Shape, dtype: type[np.floating[Any]] = np.float16) -> Array:
    """Return the blob of this shape (N, C, H, W) that AIPP makes of the bytes `fed`, in `dtype`.

    In float64 the normalization is the formula itself, with the file's constants; colours are integers in either case.
    Raises `PreprocessingError`: P804 if bytes, configuration and shape do not fit together, P802 and P803 for limits.
    """
    fitting(checked(config), shape)
    wanted = fed_shape(config, shape)
    if fed.shape != wanted or fed.dtype != np.uint8:
        text = f"AIPP is fed uint8 {shape_text(wanted)}, not {fed.dtype.name} {shape_text(fed.shape)}"
        raise PreprocessingError(Diagnostic("P804", text))
    picture = geometry_of(config, shape)
    pixels = _cut(_swapped(config, _pixels(config, fed)), picture)
    colours = _converted(config, pixels)[..., : shape[1]]
    values = normalized(config, colours, np.dtype(dtype))
    return np.ascontiguousarray(_padded(config, values, picture).transpose(0, 3, 1, 2))


def _pixels(config: AippConfig, fed: Bytes) -> Bytes:
    """Return (N, h, w, components); of YUV420SP the colour of each 2x2 block is repeated."""
    if config.input_format is not InputFormat.YUV420SP:
        return fed
    height = fed.shape[1] * 2 // 3
    light, colour = fed[:, :height], fed[:, height:]
    blocks = colour.reshape(len(fed), height // 2, -1, 2)
    return np.concatenate([light[..., None], blocks.repeat(2, axis=1).repeat(2, axis=2)], axis=-1)


def _swapped(config: AippConfig, pixels: Bytes) -> Bytes:
    """ax: the first of four components becomes the last; rbuv: R and B, or U and V, change places."""
    if config.ax_swap_switch and pixels.shape[-1] == 4:
        pixels = np.roll(pixels, -1, axis=-1)
    if not config.rbuv_swap_switch or pixels.shape[-1] == 1:
        return pixels
    order = (0, 2, 1) if config.input_format is InputFormat.YUV420SP else (2, 1, 0, 3)[: pixels.shape[-1]]
    return pixels[..., order]


def _cut(pixels: Bytes, picture: Geometry) -> Bytes:
    box = picture.box
    return pixels[:, box.top : box.top + box.height, box.left : box.left + box.width]


def _converted(config: AippConfig, pixels: Bytes) -> Bytes:
    """YUV to RGB: (M (x - input_bias)) >> 8; RGB to YUV: ((M x) >> 8) + output_bias; cut to 0..255."""
    if not config.csc_switch:
        return pixels
    if not config.matrix:
        text = "csc_switch is on without a matrix, and ATC's parts do not agree on what is then computed"
        raise PreprocessingError(Diagnostic("P804", text, hint="write the matrix and the biases into the file"))
    is_yuv = config.input_format is InputFormat.YUV420SP
    before = np.array(config.input_bias if is_yuv and config.input_bias else (0, 0, 0), np.int32)
    after = np.array(config.output_bias if not is_yuv and config.output_bias else (0, 0, 0), np.int32)
    matrix = np.array(config.matrix, np.int32).reshape(3, 3)
    mixed = ((pixels[..., :3].astype(np.int32) - before) @ matrix.T >> 8) + after
    return mixed.clip(0, 255).astype(np.uint8)


def normalized(config: AippConfig, colours: Bytes, width: Width) -> Array:
    """(x - mean - min) * var_reci, each channel with its own numbers, each step rounded to `width`; (..., C)."""
    channels = colours.shape[-1]
    mean = _per_channel(config.mean_chn, 0, channels).astype(width)
    rest = _per_channel(config.min_chn, 0, channels).astype(width)
    factor = _per_channel(config.var_reci_chn, 1, channels).astype(width)
    with np.errstate(over="ignore"):
        values: Array = (colours.astype(width) - mean - rest) * factor
    return values


def _per_channel(given: tuple[float, ...], missing: float, channels: int) -> npt.NDArray[np.float64]:
    numbers = (*given, *(missing,) * channels)[:channels]
    return np.array(numbers, np.float64)


def _padded(config: AippConfig, values: Array, picture: Geometry) -> Array:
    margins = ((0, 0), (picture.top, picture.bottom), (picture.left, picture.right), (0, 0))
    return np.pad(values, margins, constant_values=config.padding_value)
