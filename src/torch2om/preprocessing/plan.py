"""From what is wished of an input to AIPP's configuration: formats, geometry and constants decided, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from torch2om.errors import Diagnostic, PreprocessingError, Severity
from torch2om.ir.net import Input, Net
from torch2om.ir.op import Shape, elements
from torch2om.ir.text import shape_text
from torch2om.preprocessing.colours import DECODINGS, LIGHT_OF_RGB, Order, PixelFormat, Standard
from torch2om.preprocessing.config import AippConfig
from torch2om.preprocessing.extraction import leading_affine_layers, take_out_normalization
from torch2om.preprocessing.geometry import fed_shape, fitting
from torch2om.preprocessing.limits import MANUAL, checked
from torch2om.preprocessing.normalization import NOTHING, Normalization, doubts

# The widest picture that padding may make, by the beginning of the chip's name.
WIDEST = (("Ascend310P", 1080), ("Ascend910A", 1080), ("Ascend", 4096))


@dataclass(frozen=True)
class Margins:
    """Rows and columns around the picture, filled with one value in the net's own units."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0
    value: float = 0.0


@dataclass(frozen=True)
class Preprocessing:
    """What the device shall do to a picture before the net.

    `normalization` is what is done to pixels before the model is called. With `from_model`, the normalization with
    which the model itself begins is taken out of the net and done by AIPP too. `pixels` are the bytes that the device
    is fed, `order` the channels that the model takes. `frame` is the size (width, height) of the pictures, the input's
    own if None; `crop` is where the part that the net sees begins (left, top). `input` names the input, and may be
    empty if one input alone is a picture.
    """

    normalization: Normalization = field(default_factory=Normalization)
    from_model: bool = False
    pixels: PixelFormat = PixelFormat.RGB
    order: Order = Order.RGB
    standard: Standard = Standard.BT601_NARROW
    frame: tuple[int, int] | None = None
    crop: tuple[int, int] | Literal["center"] | None = None
    margins: Margins = field(default_factory=Margins)
    input: str = ""


@dataclass(frozen=True)
class Plan:
    """What is decided: the configuration of one input, and what it stands for.

    `normalization` is the whole of what AIPP does to pixels, `taken_out` the part of it that the net did before.
    """

    wish: Preprocessing
    input: Input
    config: AippConfig
    normalization: Normalization
    taken_out: Normalization = NOTHING
    notes: tuple[Diagnostic, ...] = ()

    @property
    def fed(self) -> Shape:
        """The shape of the bytes that the device is fed."""
        return fed_shape(self.config, self.input.shape)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the file's reader should know and its fields do not say."""
        wish, name = self.wish, self.input.name
        colours = f", {wish.standard}" if wish.pixels.is_yuv else ""
        channels = wish.order if self.input.shape[1] == 3 else "gray"
        fed = f"{name} is fed as {wish.pixels}{colours}: uint8 {shape_text(self.fed)}, {self.bytes} bytes"
        made = f"AIPP makes {channels} {shape_text(self.input.shape)} of it: {self.normalization}"
        return fed, made

    @property
    def bytes(self) -> int:
        """How many bytes the device is fed."""
        return elements(self.fed)


def planned(net: Net, wish: Preprocessing, soc: str = "Ascend310") -> tuple[Net, Plan]:
    """Return the net that AIPP feeds, and the plan. The net is the same one unless a normalization is taken out of it.

    Raises `PreprocessingError` with what AIPP cannot do (P80x, P81x) or what the net has not (P821).
    """
    rank = _picture(net, wish.input)
    source = net.inputs[rank]
    taken = NOTHING
    notes = tuple(_twice(net, source.name, wish))
    if wish.from_model:
        net, taken = take_out_normalization(net, source.name)
    total = wish.normalization.then(taken) if wish.from_model else wish.normalization
    config = replace(configured(wish, total, source.shape), related_input_rank=rank)
    _narrow_enough(config, source.shape, soc)
    return net, Plan(wish, source, config, total, taken, (*notes, *doubts(total)))


def _picture(net: Net, name: str) -> int:
    """Return the index of the input of that name, or of the only one that can be a picture."""
    can = [index for index, source in enumerate(net.inputs) if len(source.shape) == 4 and source.shape[1] in (1, 3)]
    chosen = [index for index, source in enumerate(net.inputs) if source.name == name] if name else can
    if len(chosen) == 1:
        return chosen[0]
    inputs = ", ".join(f"{source.name} {shape_text(source.shape)}" for source in net.inputs)
    wanted = f"no input {name}" if name else f"{len(can)} inputs that can be pictures (4 dims, 1 or 3 channels)"
    raise PreprocessingError(Diagnostic("P804", f"the net has {wanted}; its inputs are {inputs}"))


def _twice(net: Net, source: str, wish: Preprocessing) -> Iterator[Diagnostic]:
    """Yield a warning (P822) if the net begins with a normalization of its own and AIPP gets another one."""
    first = next(leading_affine_layers(net, source), None)
    if first is not None and not wish.from_model and wish.normalization != NOTHING:
        text = f"the net itself begins by scaling and shifting {source}; AIPP's normalization comes before that"
        hint = "if the model does the whole normalization, take it out of the net: from-model"
        layer = first.layer
        yield Diagnostic("P822", text, layer.origin, layer.name, hint=hint, severity=Severity.WARNING)


def configured(wish: Preprocessing, normalization: Normalization, shape: Shape) -> AippConfig:
    """Return the configuration that feeds an input of this shape; raises `PreprocessingError`."""
    if len(shape) != 4 or shape[1] not in (1, 3):
        text = f"AIPP makes pictures (N, C, H, W) of 1 or 3 channels; the input is {shape_text(shape)}"
        raise PreprocessingError(Diagnostic("P814", text))
    constants = normalization.constants(shape[1])
    parts: dict[str, Any] = {**_colours(wish, shape[1]), **_geometry(wish, shape)}  # Any: fields of many types
    config = AippConfig(
        input_format=wish.pixels.layout,
        mean_chn=constants.mean,
        min_chn=constants.rest if any(constants.rest) else (),
        var_reci_chn=constants.factor,
        **parts,
    )
    return fitting(checked(config), shape)


def _colours(wish: Preprocessing, channels: int) -> dict[str, object]:
    """Return the switches and the matrix that make the model's channels of the pixels."""
    pixels, decoding = wish.pixels, DECODINGS[wish.standard]
    if pixels is PixelFormat.GRAY:
        if channels != 1:
            text = "gray pixels make one channel, and the input has 3"
            raise PreprocessingError(Diagnostic("P814", text, hint="let the model repeat a gray input itself"))
        return {}
    if pixels.is_yuv:
        matrix = decoding.to(wish.order) if channels == 3 else decoding.to_gray
        swap = pixels is PixelFormat.NV21
        return {"csc_switch": True, "matrix": matrix, "input_bias": decoding.bias, "rbuv_swap_switch": swap}
    if channels == 1:
        return {"csc_switch": True, "matrix": LIGHT_OF_RGB, "rbuv_swap_switch": pixels is PixelFormat.BGR}
    return {"rbuv_swap_switch": (pixels is PixelFormat.BGR) != (wish.order is Order.BGR)}


def _geometry(wish: Preprocessing, shape: Shape) -> dict[str, object]:
    """Return the sizes: frame, crop and margins, such that the result is as large as the input."""
    margins = wish.margins
    size = shape[3] - margins.left - margins.right, shape[2] - margins.top - margins.bottom
    frame = wish.frame or size
    parts: dict[str, object] = {"src_image_size_w": frame[0], "src_image_size_h": frame[1]}
    if min(size) < 1:
        raise PreprocessingError(Diagnostic("P813", f"the margins leave nothing of an input of {shape_text(shape)}"))
    padded = margins != Margins(value=margins.value)
    if frame != size or wish.crop is not None:
        left, top = _corner(wish, frame, size)
        parts |= {"crop": True, "load_start_pos_w": left, "load_start_pos_h": top}
        parts |= {"crop_size_w": size[0], "crop_size_h": size[1]}
    if padded:
        parts |= {"padding": True, "padding_value": margins.value}
        parts |= {f"{side}_padding_size": getattr(margins, side) for side in ("left", "right", "top", "bottom")}
    return parts


def _corner(wish: Preprocessing, frame: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Return where the crop begins; in the middle as torchvision's CenterCrop rounds it."""
    if wish.crop is None:
        text = f"a frame of {frame[0]}x{frame[1]} is no picture of {size[0]}x{size[1]}, and AIPP does not resize"
        hint = "say where the part that the net sees begins: --crop LEFT,TOP or --crop center"
        raise PreprocessingError(Diagnostic("P813", text, hint=hint, source=MANUAL))
    if frame[0] < size[0] or frame[1] < size[1]:
        text = f"a part of {size[0]}x{size[1]} cannot be cut from a frame of {frame[0]}x{frame[1]}"
        raise PreprocessingError(Diagnostic("P813", text, hint="margins make a smaller frame larger: --pad"))
    if wish.crop == "center":
        return round((frame[0] - size[0]) / 2), round((frame[1] - size[1]) / 2)
    return wish.crop


def _narrow_enough(config: AippConfig, shape: Shape, soc: str) -> None:
    widest = next((most for start, most in WIDEST if soc.startswith(start)), None)
    if config.padding and widest is not None and shape[3] > widest:
        text = f"padding makes a picture {shape[3]} pixels wide; {soc} takes up to {widest}"
        raise PreprocessingError(Diagnostic("P813", text, source=MANUAL))
