"""Which part of the source picture AIPP takes, where it puts it, and how the picture's bytes lie in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch2om.errors import Diagnostic, PreprocessingError, Problems
from torch2om.ir.op import Shape
from torch2om.ir.text import shape_text
from torch2om.preprocessing.config import AippConfig, InputFormat, Mode
from torch2om.preprocessing.limits import MANUAL


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a picture: its first column and row, its width and height."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """A source picture of `width` x `height`, the box that is cut from it, and the margins laid around the box."""

    width: int
    height: int
    box: Box
    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result."""
        return self.left + self.box.width + self.right, self.top + self.box.height + self.bottom


def geometry_of(config: AippConfig, shape: Shape) -> Geometry:
    """Return the geometry of AIPP before an input of this shape (N, C, H, W); sizes left out are the input's."""
    width, height = config.src_image_size_w or shape[3], config.src_image_size_h or shape[2]
    box = Box(0, 0, width, height)
    if config.crop:
        size = config.crop_size_w or shape[3], config.crop_size_h or shape[2]
        box = Box(config.load_start_pos_w, config.load_start_pos_h, *size)
    if not config.padding:
        return Geometry(width, height, box)
    margins = (config.left_padding_size, config.top_padding_size, config.right_padding_size, config.bottom_padding_size)
    return Geometry(width, height, box, *margins)


def fed_shape(config: AippConfig, shape: Shape) -> Shape:
    """Return the shape of the bytes that the device is fed for an input of this shape (N, C, H, W).

    Pixels are interleaved, (N, h, w, 3 or 4 or 1); YUV420SP is (N, 3h/2, w): h rows of Y, then h/2 of U and V in turn.
    """
    picture = geometry_of(config, shape)
    match config.input_format:
        case InputFormat.YUV420SP:
            return shape[0], picture.height * 3 // 2, picture.width
        case InputFormat.XRGB8888:
            return shape[0], picture.height, picture.width, 4
        case InputFormat.RGB888:
            return shape[0], picture.height, picture.width, 3
    return shape[0], picture.height, picture.width, 1


# Layout -> the net's channels that it can fill: without csc, and with it (gray, where one row of the matrix is used).
_CHANNELS: dict[InputFormat | None, tuple[tuple[int, ...], tuple[int, ...]]] = {
    InputFormat.YUV420SP: ((3,), (1, 3)),
    InputFormat.XRGB8888: ((3, 4), (1, 3)),
    InputFormat.RGB888: ((3,), (1, 3)),
    InputFormat.YUV400: ((1,), ()),
}


def fitting(config: AippConfig, shape: Shape) -> AippConfig:
    """Return the configuration if it is static and makes a blob of this shape; raises `PreprocessingError` (P804)."""
    problems = Problems([Diagnostic("P804", text, source=MANUAL) for text in _misfits(config, shape)])
    problems.raise_as(PreprocessingError)
    return config


def _misfits(config: AippConfig, shape: Shape) -> Iterator[str]:
    if config.aipp_mode is Mode.DYNAMIC:
        yield "dynamic AIPP gets its parameters with each inference: the file does not say what it computes"
        return
    if len(shape) != 4:
        yield f"AIPP makes pictures of 4 dims; the input is {shape_text(shape)}"
        return
    made, wanted = geometry_of(config, shape).size, (shape[3], shape[2])
    if made != wanted:
        yield f"AIPP makes {made[0]}x{made[1]} pixels (width x height); the input takes {wanted[0]}x{wanted[1]}"
    if config.input_format is InputFormat.YUV420SP and (made[0] % 2 or made[1] % 2) and not config.src_image_size_w:
        yield f"YUV420SP pictures have even sides; the input is {wanted[0]}x{wanted[1]}"
    allowed = _CHANNELS[config.input_format][config.csc_switch]
    if shape[1] not in allowed:
        csc = "with" if config.csc_switch else "without"
        yield f"{config.input_format} {csc} colour conversion makes {_either(allowed)} channels, not {shape[1]}"


def _either(numbers: tuple[int, ...]) -> str:
    return " or ".join(map(str, numbers)) or "no"
