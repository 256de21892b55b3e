"""Picture files on the command line: as pixels of the size that somebody needs, and through AIPP into a net."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from torch2om.cli.arrays import Numbers, read_array
from torch2om.errors import Diagnostic, PreprocessingError, UsageError
from torch2om.ir.net import Net
from torch2om.ir.op import Shape, elements
from torch2om.ir.text import shape_text
from torch2om.preprocessing.colours import PixelFormat, encoded, pixel_format, standard_of
from torch2om.preprocessing.config import AippConfig, InputFormat
from torch2om.preprocessing.geometry import fed_shape, fitting, geometry_of
from torch2om.preprocessing.simulation import Bytes, simulate
from torch2om.preprocessing.text import read_aipp_file


@dataclass(frozen=True)
class Picture:
    """A picture (h, w, 3) in RGB, and the size (width, height) that it had in its file."""

    pixels: Bytes
    was: tuple[int, int]

    @property
    def resized(self) -> bool:
        """Whether it was resized."""
        return self.pixels.shape[1::-1] != self.was


def read_picture(path: Path, size: tuple[int, int]) -> Picture:
    """Return the picture in a file, resized to (width, height) as Pillow's bilinear filter does it.

    Raises `UsageError`: P831 without Pillow, or where the file is no picture; U133 where it cannot be opened.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        text = f"{path} cannot be read: Pillow is not installed"
        raise UsageError(Diagnostic("P831", text, hint="pip install pillow")) from error
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise UsageError(Diagnostic("P831", f"{path} is no picture that Pillow reads: {error}")) from error
    except OSError as error:
        code = "U133" if error.strerror else "P831"
        raise UsageError(Diagnostic(code, f"{path}: {error.strerror or error}")) from error
    fitted = rgb if rgb.size == size else rgb.resize(size, Image.Resampling.BILINEAR)
    return Picture(np.asarray(fitted, np.uint8), rgb.size)


def through_aipp(net: Net, aipp: Path, files: Iterable[str], form: str) -> dict[str, Numbers]:
    """Return input name -> blob, of `NAME=FILE` options: pictures go through the AIPP of their input, as on the device.

    Picture files are RGB, and made into bytes of the format that the file of AIPP names: `form` says which where the
    file leaves it open (rgb888 or bgr888). Raises `UsageError` and `PreprocessingError`.
    """
    configs = {_input_of(net, config): config for config in read_aipp_file(aipp)}
    shapes = {source.name: source.shape for source in net.inputs}
    fed: dict[str, Numbers] = {}
    for text in files:
        name, sign, file = text.partition("=")
        if not (name and sign and file):
            raise UsageError(Diagnostic("U115", f"--input {text} is not NAME=FILE"))
        if name in configs:
            config, shape = configs[name], shapes[name]
            fed[name] = simulate(config, _bytes(Path(file), config, shape, form), shape)
        else:
            fed[name] = read_array(Path(file))
    return fed


def _input_of(net: Net, config: AippConfig) -> str:
    """Return the input that a configuration is for; raises `PreprocessingError` (P804)."""
    names = [source.name for source in net.inputs]
    rank, name = config.related_input_rank or 0, config.related_input_name
    if name in names or (not name and rank < len(names)):
        return name or names[rank]
    text = f"the AIPP is for input {name or rank}; the net's inputs are {', '.join(names)}"
    raise PreprocessingError(Diagnostic("P804", text))


def _bytes(path: Path, config: AippConfig, shape: Shape, form: str) -> Bytes:
    """Return a file's bytes in the shape that AIPP is fed: stored as they are, or a picture made into them."""
    wanted = fed_shape(fitting(config, shape), shape)
    if path.suffix in (".npy", ".bin"):
        return _stored(path, wanted)
    place = geometry_of(config, shape)
    picture = read_picture(path, (place.width, place.height))
    made = encoded(picture.pixels, _format_of(config, form), standard_of(config.matrix, config.input_bias))
    return np.repeat(made, shape[0], axis=0)


def _stored(path: Path, wanted: Shape) -> Bytes:
    """Return the bytes of a .npy, whose dims of 1 may be left out, or of a .bin."""
    stored = read_array(path) if path.suffix == ".npy" else np.frombuffer(_content(path), np.uint8)
    has = tuple(size for size in stored.shape if size != 1)
    fits = path.suffix == ".bin" or has == tuple(size for size in wanted if size != 1)
    if stored.dtype != np.uint8 or stored.size != elements(wanted) or not fits:
        text = f"{path} holds {stored.dtype.name} {shape_text(stored.shape)}; AIPP is fed uint8 {shape_text(wanted)}"
        raise UsageError(Diagnostic("U115", text))
    return stored.reshape(wanted)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error


def _format_of(config: AippConfig, form: str) -> PixelFormat:
    """Return the pixel format of a configuration; of RGB888_U8 the one that was named, else RGB."""
    match config.input_format:
        case InputFormat.YUV420SP:
            found = PixelFormat.NV21 if config.rbuv_swap_switch else PixelFormat.NV12
        case InputFormat.YUV400:
            found = PixelFormat.GRAY
        case InputFormat.RGB888:
            found = PixelFormat.BGR if form == PixelFormat.BGR else PixelFormat.RGB
        case _:
            text = f"picture files are not made into {config.input_format}: give the bytes as .npy or .bin"
            raise UsageError(Diagnostic("P814", text))
    if form and pixel_format(form) is not found:
        raise UsageError(Diagnostic("P814", f"--input-format {form}: the file's AIPP takes {config.input_format}"))
    return found
