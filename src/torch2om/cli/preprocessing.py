"""What convert and run take and tell about pictures: options, the wish they stand for, and how well AIPP does it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli.tables import pairs
from torch2om.errors import Diagnostic, PreprocessingError, Severity, UsageError

if TYPE_CHECKING:
    from torch2om.pipeline import Conversion
    from torch2om.preprocessing.difference import Difference
    from torch2om.preprocessing.normalization import Normalization
    from torch2om.preprocessing.plan import Margins, Plan, Preprocessing

FROM_MODEL = "from-model"
PANEL = "Pictures"  # of the help of convert

Normalize = Annotated[
    str,
    typer.Option(
        "--normalize",
        metavar="SPEC",
        help="Let the device's AIPP normalize pictures: imagenet, to-tensor, pixels (nothing), "
        "mean=A,B,C,std=D,E,F, file.py:transform, package.module:transform, timm:MODEL, "
        "or from-model (also SPEC+from-model): what the model begins with is taken out of the net.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
InputFormat = Annotated[
    str,
    typer.Option(
        "--input-format",
        metavar="FORMAT",
        help="The bytes that AIPP is fed: rgb888 (default), bgr888, yuv420sp-nv12, yuv420sp-nv21 or gray.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
Channels = Annotated[
    str,
    typer.Option(
        "--channels",
        metavar="rgb|bgr",
        help="The channels that the model takes.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
Yuv = Annotated[
    str,
    typer.Option(
        "--yuv",
        metavar="STANDARD",
        help="How YUV stands for RGB: bt601-narrow (video; default), bt601-wide (JPEG), bt709-narrow or bt709-wide.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
Frame = Annotated[
    str,
    typer.Option(
        "--frame",
        metavar="WxH",
        help="The pictures' size, if not the net's.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
Crop = Annotated[
    str,
    typer.Option(
        "--crop",
        metavar="LEFT,TOP|center",
        help="Where in the frame the net's part begins.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
Pad = Annotated[
    str,
    typer.Option(
        "--pad",
        metavar="LEFT,TOP,RIGHT,BOTTOM[=VALUE]",
        help="Margins around the picture, filled with VALUE in the net's own units (0).",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
Resize = Annotated[
    str,
    typer.Option(
        "--resize", metavar="WxH", help="Refused: AIPP does not resize.", show_default=False, rich_help_panel=PANEL
    ),
]
PictureInput = Annotated[
    str,
    typer.Option(
        "--picture-input", metavar="NAME", help="Which input is the picture.", show_default=False, rich_help_panel=PANEL
    ),
]
PictureFile = Annotated[
    Path | None,
    typer.Option(
        "--picture",
        metavar="FILE",
        help="Show on this picture how far AIPP is from PyTorch's preprocessing.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
AippFile = Annotated[
    Path | None,
    typer.Option(
        "--aipp",
        metavar="FILE.cfg",
        help="Feed pictures (uint8 .npy, .bin, .png, .jpg) through this AIPP, as the device would.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class PictureOptions:
    """What the options of convert say, as text."""

    normalize: str = ""
    input_format: str = ""
    channels: str = ""
    yuv: str = ""
    frame: str = ""
    crop: str = ""
    pad: str = ""
    resize: str = ""
    picture_input: str = ""
    picture: Path | None = None

    def wish(self) -> tuple[Preprocessing | None, tuple[Diagnostic, ...]]:
        """Return what the device shall do, None without options, and what was remarked.

        Raises `UsageError` (P811, P814, P815) and, for --resize, `PreprocessingError` (P813).
        """
        if self == PictureOptions():
            return None, ()
        if self.resize:
            text = "AIPP does not resize on Ascend"
            hint = "resize before the device is fed (DVPP does it on the board), and give --frame and --crop to cut"
            raise PreprocessingError(Diagnostic("P813", text, hint=hint))
        if not self.normalize:
            text = "options of pictures without --normalize"
            raise UsageError(Diagnostic("P811", text, hint="--normalize pixels leaves pixel values as they are"))
        normalization, notes = _normalization(self.normalize)
        return self._wish(normalization), notes

    def _wish(self, normalization: Normalization) -> Preprocessing:
        from torch2om.preprocessing.colours import Order, PixelFormat, Standard, pixel_format
        from torch2om.preprocessing.plan import Preprocessing

        return Preprocessing(
            normalization=normalization,
            from_model=self.normalize.endswith(FROM_MODEL),
            pixels=pixel_format(self.input_format or PixelFormat.RGB),
            order=Order(_one_of("--channels", self.channels or Order.RGB, list(Order))),
            standard=Standard(_one_of("--yuv", self.yuv or Standard.BT601_NARROW, list(Standard))),
            frame=_pair("--frame", self.frame, "x") if self.frame else None,
            crop="center" if self.crop == "center" else _pair("--crop", self.crop, ",") if self.crop else None,
            margins=_margins(self.pad),
            input=self.picture_input,
        )


def _normalization(text: str) -> tuple[Normalization, tuple[Diagnostic, ...]]:
    """Return what SPEC says is done to pixels before the model, and what it leaves to the caller."""
    from torch2om.preprocessing.normalization import NOTHING, PRESETS, from_numbers
    from torch2om.preprocessing.transforms import described

    spec = text.removesuffix(FROM_MODEL).removesuffix("+")
    if not spec:
        return NOTHING, ()
    if spec in PRESETS:
        return PRESETS[spec], ()
    if ":" not in spec:
        return from_numbers(spec), ()
    from torch2om.loading import load_transform

    found = described(load_transform(spec))
    if not found.left:
        return found.normalization, ()
    left = f"left to whoever feeds the device: {', '.join(found.left)}"
    return found.normalization, (Diagnostic("P813", left, severity=Severity.NOTE),)


def _one_of(option: str, text: str, names: Sequence[str]) -> str:
    if text not in names:
        raise UsageError(Diagnostic("P814", f"{option} {text} is none of {', '.join(names)}"))
    return text


def _pair(option: str, text: str, between: str) -> tuple[int, int]:
    first, _, second = text.partition(between)
    if not (_is_whole(first) and _is_whole(second)):
        raise UsageError(Diagnostic("P813", f"{option} {text} is not two whole numbers with {between!r} between"))
    return int(first), int(second)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def _margins(text: str) -> Margins:
    from torch2om.preprocessing.plan import Margins

    if not text:
        return Margins()
    sides, _, value = text.partition("=")
    numbers = sides.split(",")
    try:
        filling = float(value or 0)
    except ValueError:
        filling = float("nan")
    if len(numbers) != 4 or not all(map(_is_whole, numbers)) or not math.isfinite(filling):
        hint = "write for example --pad 0,4,0,4 or --pad 0,4,0,4=-1.5"
        raise UsageError(Diagnostic("P813", f"--pad {text} is not LEFT,TOP,RIGHT,BOTTOM[=VALUE]", hint=hint))
    left, top, right, bottom = map(int, numbers)
    return Margins(left, top, right, bottom, filling)


@dataclass(frozen=True)
class Told:
    """What convert tells of the picture: to people and to machines."""

    shown: RenderableType
    payload: Mapping[str, object] | None


def told(conversion: Conversion, picture: Path | None) -> Told:
    """Return what AIPP does in a conversion and, on a picture, how far it is from PyTorch's preprocessing."""
    plan, net = conversion.plan, conversion.net
    if plan is None or net is None:
        return Told(Group(), None)
    from torch2om.preprocessing.difference import difference, rounding

    lines = [
        *plan.remarks,
        *_taken_out(conversion, plan),
        f"float16 changes a normalized value by up to {_figure(rounding(plan))}",
    ]
    found = None
    if picture is not None:
        from torch2om.cli.pictures import read_picture

        frame = plan.config.src_image_size_w, plan.config.src_image_size_h
        pixels = read_picture(picture, frame)
        found = difference(plan, net, pixels.pixels)
        note = f" (resized from {pixels.was[0]}x{pixels.was[1]})" if pixels.resized else ""
        lines.append(f"{picture.name}{note}, AIPP against PyTorch's preprocessing: {_sentence(plan, found)}")
    heads = ("AIPP", *("",) * (len(lines) - 1))
    return Told(Group(pairs(zip(heads, lines, strict=True)), Text()), _payload(plan, found))


def _taken_out(conversion: Conversion, plan: Plan) -> Iterator[str]:
    if plan.wish.from_model:
        found = conversion.verification
        proved = "" if found is None or not found.equal else "; proved: the model equals the net after it"
        yield f"taken out of the net: {plan.taken_out}{proved}"


def _sentence(plan: Plan, found: Difference) -> str:
    compared = {plan.input.name: found.input, **found.outputs}
    return "; ".join(
        f"{name} differs by {_figure(of.max_absolute)}, {_figure(of.mean_absolute)} on average"
        for name, of in compared.items()
    )


def _figure(value: float) -> str:
    return f"{value:.2g}"


def _payload(plan: Plan, found: Difference | None) -> Mapping[str, object]:
    from torch2om.preprocessing.difference import rounding

    return {
        "input": plan.input.name,
        "pixels": str(plan.wish.pixels),
        "fed": plan.fed,
        "bytes": plan.bytes,
        "normalization": asdict(plan.normalization),
        "taken_out": asdict(plan.taken_out) if plan.wish.from_model else None,
        "rounding": rounding(plan),
        "picture": None if found is None else asdict(found),
    }
