"""Where a rule of ATC looks at a layer: its message, its IR inputs with shape and type, and how a rule says no."""

from __future__ import annotations

from dataclasses import dataclass

from torch2om.caffe.schema import CaffeMessage
from torch2om.ir.op import Shape

GE = "GE parser"
"""The parser: mirror-cann/ge, folder parser/parser (2026; the control flow of June 2021)."""

CANN = "canndev"
"""The operators' plugins and shape rules: canndev of June 2021, folder ops/built-in."""

METADEF = "metadef"
"""GE's graph library of the same month: nodes, descriptions, the order of verification and shape inference."""

UNKNOWN_DIM = -1
UNKNOWN_RANK = (-2,)

_INT32 = 2**32
_LARGEST_INT32 = 2**31 - 1


class Rejected(Exception):  # noqa: N818 - a verdict of ATC, turned into a diagnostic where the layer is known
    """A rule of ATC refuses the layer: why, the error code that ATC prints (if it prints one), and who says so."""

    def __init__(self, reason: str, atc: str, source: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.atc = atc
        self.source = source


def demand(condition: bool, reason: str, atc: str, source: str) -> None:
    """Raise `Rejected` unless the condition holds."""
    if not condition:
        raise Rejected(reason, atc, source)


@dataclass(frozen=True, slots=True)
class Tensor:
    """What ATC knows of a value: its dims (-1: unknown; [-2]: unknown rank; []: none) and its type."""

    shape: Shape
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Site:
    """A layer with its IR inputs, by name and in order; None is an optional input that nothing is linked to."""

    layer: CaffeMessage
    names: tuple[str, ...]
    inputs: tuple[Tensor | None, ...]

    def tensor(self, name: str) -> Tensor | None:
        """Return the input of that name, None if it is not linked or not there."""
        return self.inputs[self.names.index(name)] if name in self.names else None

    def described(self, name: str) -> Shape:
        """Return the dims in the input's own description (GeShape); without such an input it is empty."""
        found = self.tensor(name)
        return () if found is None else found.shape

    def shape(self, name: str) -> Shape:
        """Return the dims as a rule that works through Operator and Shape sees them: collapsed."""
        return collapsed(self.described(name))

    def dtype(self, name: str) -> str:
        """Return the type of the input of that name, empty if it is not linked."""
        found = self.tensor(name)
        return "" if found is None else found.dtype

    def described_at(self, index: int) -> Shape:
        """Return the dims in the description of the input at that place."""
        found = self.inputs[index] if index < len(self.inputs) else None
        return () if found is None else found.shape

    def shape_at(self, index: int) -> Shape:
        """Return the dims of the input at that place, collapsed."""
        return collapsed(self.described_at(index))

    @property
    def linked(self) -> int:
        """How many inputs there are, without the optional ones that nothing is linked to (Operator::GetInputsSize)."""
        return sum(tensor is not None for tensor in self.inputs)


def collapsed(shape: Shape) -> Shape:
    """Return [-2] for dims that hold a -2 anywhere, as Shape's constructor does (metadef tensor.cc:164).

    A rule that works on the descriptions themselves (MutableInputDesc, GeShape) sees and leaves the dims as they are.
    """
    return UNKNOWN_RANK if UNKNOWN_RANK[0] in shape else shape


def rank_of(shape: Shape) -> int:
    """Return the number of dims as GetDimNum counts them: 0 if one of them is -2 (metadef tensor.cc:177)."""
    return 0 if UNKNOWN_RANK[0] in shape else len(shape)


def dim(shape: Shape, index: int) -> int:
    """`shape[index]`, 0 outside (metadef tensor.cc:194, Shape::GetDim)."""
    return shape[index] if 0 <= index < len(shape) else 0


def with_dim(shape: Shape, index: int, value: int) -> Shape:
    """Return the shape with one dim replaced; outside nothing happens (metadef tensor.cc:204, Shape::SetDim)."""
    return (*shape[:index], value, *shape[index + 1 :]) if 0 <= index < len(shape) else shape


def as_int32(value: int) -> int:
    """Return an unsigned 32-bit number as C++ puts it into an int."""
    return value - _INT32 if value > _LARGEST_INT32 else value


def quotient(number: int, divisor: int) -> int:
    """`number / divisor` of C++: towards zero."""
    return abs(number) // abs(divisor) * (1 if (number < 0) == (divisor < 0) else -1)
