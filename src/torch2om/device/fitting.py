"""Of how many bytes a device's output may be, and what another number of bytes would be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch2om.device.record import Port
from torch2om.ir.op import Shape, elements

# What --output_type FP32 (the default for Caffe), FP16 and DOUBLE write (ATC manual, --output_type).
WIDTHS = {4: "<f4", 2: "<f2"}
OTHER_WIDTHS = {1: "INT8 or UINT8", 8: "DOUBLE, INT64 or UINT64"}
DDK_SURPLUS = 32  # bytes that tensor descriptors of the DDK's time may carry on top
C0 = 16  # channels of a block of NC1HWC0 in half precision
MOST_IMAGES = 1024


def dtype_of(size: int, port: Port) -> str | None:
    """Return the number type of an output file of `size` bytes; None if no documented float type fits."""
    return next((name for width, name in WIDTHS.items() if size == width * port.count), None)


def guesses(size: int, port: Port, ports: Sequence[Port]) -> Iterator[str]:
    """Yield what an output file of that many bytes would be."""
    count = port.count
    yield from (f"--output_type={name}" for width, name in OTHER_WIDTHS.items() if size == width * count)
    for width, name in ((4, "float32"), (2, "float16")):
        yield from _batches(size, port, width, name)
        if size == _blocked(port.shape) * width:
            yield f"{name} in NC1HWC0 blocks (--is_output_adjust_hw_layout)"
        if size == width * count + DDK_SURPLUS:
            yield f"{name} and {DDK_SURPLUS} bytes more, as oms of the DDK's time have them"
        others = (other for other in ports if other.index != port.index and size == width * other.count)
        yield from (f"output {other.index} ({other.name}) in {name}" for other in others)


def _batches(size: int, port: Port, width: int, name: str) -> Iterator[str]:
    """Yield another number of images, if that is what the size is."""
    if not port.shape or not port.count:
        return
    one = width * port.count // port.shape[0]
    images = size // one
    if size % one == 0 and images != port.shape[0] and 0 < images <= MOST_IMAGES:
        yield f"a batch of {images} in {name}, where the net has {port.shape[0]}"


def _blocked(shape: Shape) -> int:
    """Return how many numbers (N, C, H, W) has in NC1HWC0, C filled up to whole blocks; 0 if that changes nothing."""
    if len(shape) < 2 or shape[1] % C0 == 0:
        return 0
    return elements((shape[0], -(-shape[1] // C0) * C0, *shape[2:]))
