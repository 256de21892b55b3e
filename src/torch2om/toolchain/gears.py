"""Gears: the sizes that one om takes, and how they must agree with the -1 dims of --input_shape.

An input dim of -1 is decided when the om runs, among the gears given here; each gear is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from torch2om.ir.op import Shape
from torch2om.toolchain.options import CompileOptions
from torch2om.toolchain.subject import UNKNOWN, Subject, given_shapes, groups

GEAR_OPTIONS = ("dynamic_batch_size", "dynamic_image_size", "dynamic_dims")
FEWEST, MOST = 2, 100  # gears (ATC manual; 256 on Ascend 950, which takes no Caffe)


def shape_with_gears(options: CompileOptions, subject: Subject) -> str:
    """Return the --input_shape of the net with -1 where batch or image gears decide: `x:-1,3,224,224`."""
    free: tuple[int, ...] = (0,) if options.dynamic_batch_size else (2, 3) if options.dynamic_image_size else ()
    shapes = {
        name: tuple(UNKNOWN if axis in free else dim for axis, dim in enumerate(shape))
        for name, shape in subject.inputs.items()
    }
    return Subject(subject.tool, shapes, ()).input_shape


def gear_shapes(options: CompileOptions, subject: Subject) -> Iterator[tuple[str, Mapping[str, Shape]]]:
    """Yield each gear as it was written, with the shapes that the inputs then have (for options without problems)."""
    given = given_shapes(options.input_shape)
    if any("~" in dim for dims in given.values() for dim in dims):
        return
    shapes = {name: tuple(map(int, dims)) for name, dims in given.items()} or dict(subject.inputs)
    for gear in _gears(options) or ((),):
        text = ",".join(map(str, gear)) or options.input_shape
        yield text, _filled(shapes, gear, per_input=not options.dynamic_dims)


def _gears(options: CompileOptions) -> tuple[tuple[int, ...], ...]:
    if options.dynamic_batch_size:
        return tuple((int(batch),) for batch in options.dynamic_batch_size.split(","))
    return groups(options.dynamic_image_size or options.dynamic_dims) if _kind(options) else ()


def _kind(options: CompileOptions) -> str:
    return next((name for name in GEAR_OPTIONS if getattr(options, name)), "")


def _filled(shapes: Mapping[str, Shape], gear: tuple[int, ...], *, per_input: bool) -> dict[str, Shape]:
    """Put the gear's numbers in the place of the -1: in every input anew, or through all inputs in turn."""
    filled, rest = {}, iter(gear)
    for name, shape in shapes.items():
        rest = iter(gear) if per_input else rest
        filled[name] = tuple(next(rest) if dim == UNKNOWN else dim for dim in shape)
    return filled


def _unknown_dims_need_gears(options: CompileOptions, _: Subject) -> Iterator[str]:
    """A -1 without gears leaves the shape open (E10001)."""
    for name, axes in _unknown(options).items():
        if axes and not _kind(options):
            yield f"--input_shape leaves dims of {name} open (-1), and no gears are given for them"


def _gears_need_unknown_dims(options: CompileOptions, _: Subject) -> Iterator[str]:
    if options.dynamic_dims and not options.input_shape:
        yield "--dynamic_dims needs --input_shape with -1 for each dim that it decides"
    elif _kind(options) and not any(_unknown(options).values()):
        yield f"--{_kind(options)} has no -1 in --input_shape to decide"


def _enough_gears(options: CompileOptions, _: Subject) -> Iterator[str]:
    gears, name = _gears(options), _kind(options)
    if name and not FEWEST <= len(gears) <= MOST:
        yield f"--{name} has {len(gears)} gears; {FEWEST} to {MOST} are taken"
    if len(set(gears)) != len(gears):
        yield f"--{name} names a gear twice"


def _batch_gears(options: CompileOptions, _: Subject) -> Iterator[str]:
    if options.dynamic_batch_size:
        for name, axes in _unknown(options).items():
            if axes not in ((), (0,)):
                yield f"--dynamic_batch_size decides the first dim alone, {name} has -1 at {_places(axes)}"


def _image_gears(options: CompileOptions, subject: Subject) -> Iterator[str]:
    if not options.dynamic_image_size:
        return
    if any(len(gear) != 2 for gear in groups(options.dynamic_image_size)):
        yield "--dynamic_image_size wants H,W in each gear"
    if options.input_format == "ND":
        yield "--dynamic_image_size wants --input_format=NCHW"
    for name, axes in _unknown(options).items():
        if axes not in ((), (2, 3)):
            yield f"--dynamic_image_size decides height and width, {name} has -1 at {_places(axes)}"
    if any(subject.aipp_says(field, "(?:true|1)") for field in ("crop", "padding")):
        yield "--dynamic_image_size wants an AIPP file without crop and padding (E10052)"
    if subject.aipp_says("src_image_size_[wh]", r"[1-9]\d*"):
        yield "--dynamic_image_size wants an AIPP file without src_image_size (E10052)"


def _dims_gears(options: CompileOptions, _: Subject) -> Iterator[str]:
    if not options.dynamic_dims:
        return
    if options.input_format not in {"", "ND"}:
        yield f"--dynamic_dims wants --input_format=ND, not {options.input_format}"
    count = sum(map(len, _unknown(options).values()))
    for gear in groups(options.dynamic_dims):
        if count and len(gear) != count:
            yield f"--dynamic_dims has {len(gear)} values in {','.join(map(str, gear))}, --input_shape {count} times -1"


def _unknown(options: CompileOptions) -> dict[str, tuple[int, ...]]:
    """Return input name -> the axes whose dim is -1."""
    given = given_shapes(options.input_shape)
    return {name: tuple(axis for axis, dim in enumerate(dims) if dim == str(UNKNOWN)) for name, dims in given.items()}


def _places(axes: tuple[int, ...]) -> str:
    return ", ".join(f"dim {axis}" for axis in axes)


GEAR_RULES: tuple[Callable[[CompileOptions, Subject], Iterator[str]], ...] = (
    _unknown_dims_need_gears,
    _gears_need_unknown_dims,
    _enough_gears,
    _batch_gears,
    _image_gears,
    _dims_gears,
)
