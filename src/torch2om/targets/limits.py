"""Limits as data: what a target accepts, line by line, each with its source.

One row feeds the check, the error text, `torch2om limits TARGET`, the docs and the boundary tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

from torch2om.caffe.dialect import Dialect
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import BadOp, Op, Shape
from torch2om.ir.text import op_text, shape_text
from torch2om.layers import Flatten, Reshape, Silence, Split

HANDING_ON: tuple[type[Op], ...] = (
    Flatten,
    Reshape,
    Silence,
    Split,
)  # their tops are their bottoms' elements as they are


@dataclass(frozen=True, slots=True)
class Site:
    """A layer where it stands: with the shapes of its bottoms and tops, and the layers that make the bottoms.

    `makers` has None for an input of the net, and is empty where the layer alone is looked at.
    """

    layer: Layer
    bottoms: tuple[Shape, ...]
    tops: tuple[Shape, ...]
    makers: tuple[Layer | None, ...] = ()

    @classmethod
    def of(cls, layer: Layer, bottoms: tuple[Shape, ...], makers: tuple[Layer | None, ...] = ()) -> Site:
        """Return the site of a layer whose bottoms have these shapes."""
        return cls(layer, bottoms, layer.op.infer(bottoms, layer.weight_shapes), makers)


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that a layer breaks: the sentence about this layer, and who says so."""

    text: str
    source: str


@dataclass(frozen=True)
class Limit(ABC):
    """One line of what a target accepts."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """The limit in words, for tables and error texts."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Who says so: document and row, or file and line."""

    @abstractmethod
    def broken(self, site: Site) -> str:
        """Return what about this layer breaks the limit (`kernel is 300`), or the empty string."""


@dataclass(frozen=True)
class Range(Limit):
    """`low <= field <= high`, for a number or for each number of a tuple."""

    name: str
    low: float
    high: float
    source: str = ""

    @property
    def sentence(self) -> str:
        """The range in words."""
        return f"{self.name} is {self.low:g} to {self.high:g}"

    def broken(self, site: Site) -> str:
        """Return the value that is outside, or nothing."""
        value = getattr(site.layer.op, self.name)
        values = value if isinstance(value, tuple) else (value,)
        return "" if all(self.low <= v <= self.high for v in values) else f"{self.name} is {_plain(value)}"


@dataclass(frozen=True)
class OneOf(Limit):
    """The field is one of the listed values."""

    name: str
    values: tuple[object, ...]
    source: str = ""

    @property
    def sentence(self) -> str:
        """The values in words."""
        return f"{self.name} is {' or '.join(map(_plain, self.values))}"

    def broken(self, site: Site) -> str:
        """Return the value that is not listed, or nothing."""
        value = getattr(site.layer.op, self.name)
        return "" if value in self.values else f"{self.name} is {_plain(value)}"


@dataclass(frozen=True)
class Rank(Limit):
    """Every bottom has a rank in [low, high]."""

    low: int
    high: int
    source: str = ""

    @property
    def sentence(self) -> str:
        """The ranks in words."""
        return (
            f"bottoms have {self.low} dims" if self.low == self.high else f"bottoms have {self.low} to {self.high} dims"
        )

    def broken(self, site: Site) -> str:
        """Return the first shape of another rank, or nothing."""
        wrong = next((s for s in site.bottoms if not self.low <= len(s) <= self.high), None)
        return "" if wrong is None else f"a bottom has {len(wrong)} dims: {list(wrong)}"


@dataclass(frozen=True)
class Bottoms(Limit):
    """The layer has between low and high bottoms."""

    low: int
    high: int
    source: str = ""

    @property
    def sentence(self) -> str:
        """The count in words."""
        return f"{self.low} bottoms" if self.low == self.high else f"{self.low} to {self.high} bottoms"

    def broken(self, site: Site) -> str:
        """Return the count if it is outside, or nothing."""
        count = len(site.bottoms)
        return "" if self.low <= count <= self.high else f"it has {count} bottoms"


@dataclass(frozen=True)
class After(Limit):
    """The first `count` bottoms are the tops, in order, of one layer of that type."""

    kind: type[Op]
    count: int
    source: str = ""

    @property
    def sentence(self) -> str:
        """The order in words."""
        return f"its first {self.count} bottoms are the tops of one {self.kind.caffe_type}, in order"

    def broken(self, site: Site) -> str:
        """Return who makes the bottoms instead, or nothing."""
        makers = site.makers[: self.count]
        if not makers:
            return ""
        first = makers[0]
        if first is not None and isinstance(first.op, self.kind) and all(maker is first for maker in makers):
            return "" if site.layer.bottoms[: self.count] == first.tops[: self.count] else "they stand in another order"
        names = (maker.name if maker else "an input of the net" for maker in makers)
        return f"they are made by {', '.join(dict.fromkeys(names))}"


@dataclass(frozen=True)
class Formula(Limit):
    """A condition over the layer where it stands; `text` says it in words, `shown` what the layer has instead."""

    text: str
    holds: Callable[[Site], bool]
    source: str = ""
    shown: Callable[[Site], str] = lambda _: ""

    @property
    def sentence(self) -> str:
        """The condition in words."""
        return self.text

    def broken(self, site: Site) -> str:
        """Return what the layer has if it does not hold: `shown`, or the layer's parameters and its bottoms."""
        return "" if self.holds(site) else self.shown(site) or _described(site)


def _described(site: Site) -> str:
    bottoms = ", ".join(map(shape_text, site.bottoms))
    return f"{op_text(site.layer.op)} reads {bottoms or 'nothing'}"


ShapeRule = Callable[[Site], tuple[Shape, ...]]
"""The top shapes that a target infers for a layer where they differ from Caffe's."""


def _broken(limits: Iterable[Limit], site: Site) -> tuple[Violation, ...]:
    found = ((limit, limit.broken(site)) for limit in limits)
    return tuple(Violation(_sentence(what, limit), limit.source) for limit, what in found if what)


@dataclass(frozen=True, slots=True)
class Fusion:
    """Two layers that the target merges into one which computes something else than the two do.

    The second reads the first, alone, or a chain that begins with it of layers in `through`, each read by one layer.
    """

    text: str
    wrong: Callable[[Site, Site], bool]
    source: str
    through: tuple[type[Op], ...] = ()


@dataclass(frozen=True)
class Target:
    """A reader of Caffe files: which layer types it accepts, within which limits, in which dialect.

    `accepts` maps an op class to its limits (an empty tuple: any form); a class that is not there is refused.
    `general` are limits of every layer, `computed` further ones of layers whose tops another layer computes with
    (`computed_with`). `shapes` are the op classes whose tops the target gives other dims than Caffe
    does, with the same elements in the same order; `least_dims` is how many dims a blob has at least, shorter ones get
    dims of 1 behind, and `most_dims` how many it may have (0: any number). Without `scalars` it has no blobs of 0
    dims, nor a layer that makes one of Caffe's. With `outputs_by_layer` only a layer's first top can be asked for; with
    `reads_every_input` an input that no layer reads is refused. `fusions` are the layers that must not follow each
    other. `title` is for people; `compiler` and `socs`, the chips by the names that it
    knows, are for the command line.
    """

    name: str
    title: str
    dialect: Dialect
    accepts: Mapping[type[Op], tuple[Limit, ...]]
    source: str
    general: tuple[Limit, ...] = ()
    shapes: Mapping[type[Op], ShapeRule] = field(default_factory=dict)
    computed: Mapping[type[Op], tuple[Limit, ...]] = field(default_factory=dict)
    least_dims: int = 0
    most_dims: int = 0
    scalars: bool = True
    outputs_by_layer: bool = False
    reads_every_input: bool = False
    fusions: tuple[Fusion, ...] = ()
    compiler: str = ""
    socs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the table against the op classes: a limit on a field that does not exist is a defect of the table."""
        for op, limits in self.accepts.items():
            known = {field.name for field in fields(op)}
            wrong = [limit.name for limit in limits if isinstance(limit, Range | OneOf) and limit.name not in known]
            if wrong:
                raise ValueError(f"{self.name}: {op.__name__} has no field {wrong}")

    def violations(
        self, layer: Layer, bottoms: tuple[Shape, ...], makers: tuple[Layer | None, ...] = ()
    ) -> tuple[Violation, ...]:
        """Return every limit that the layer breaks here, in table order; empty means legal.

        Limits of a type take the general ones for granted: where one of those is broken, they are not looked at.
        """
        limits = self.accepts.get(type(layer.op))
        if limits is None:
            kind = layer.op.caffe_type or op_text(layer.op)
            text = f"{self.name} has no layer {kind}" if layer.op.computed else f"no limits of {kind} are known here"
            return (Violation(text, self.source),)
        site = Site.of(layer, bottoms, makers)
        return _broken(self.general, site) or _broken(limits, site)

    @cached_property
    def narrowed(self) -> Target:
        """The target for layers whose tops another layer computes with."""
        added = {op: (*limits, *self.computed.get(op, ())) for op, limits in self.accepts.items()}
        return replace(self, accepts=added, computed={}) if self.computed else self

    def infer(self, layer: Layer, bottoms: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """Return the top shapes that the target itself computes; raise `BadOp` for bottoms that do not fit."""
        site = Site.of(layer, bottoms)
        rule = self.shapes.get(type(layer.op))
        return tuple(map(self.seen, site.tops if rule is None else rule(site)))

    def lacks(self, shape: Shape) -> bool:
        """Whether the target has no blobs of so many dims, or of none."""
        return len(shape) > self.most_dims > 0 or not (shape or self.scalars)

    def seen(self, shape: Shape) -> Shape:
        """Return the dims that a blob has in the target: at least `least_dims`."""
        return with_least_dims(shape, self.least_dims)

    def infer_all(self, net: Net) -> Mapping[str, Shape]:
        """Return blob -> shape as the target itself computes it, for a net that it accepts."""
        shapes: dict[str, Shape] = {source.name: self.seen(source.shape) for source in net.inputs}
        for layer in net.layers:
            bottoms = tuple(shapes[bottom] for bottom in layer.bottoms)
            shapes.update(zip(layer.tops, self.infer(layer, bottoms), strict=True))
        return shapes

    def check(self, net: Net) -> list[tuple[Layer, tuple[Violation, ...]]]:
        """Return the layers that break a limit with the shapes that the target infers, and the limits they break."""
        return [(layer, broken) for layer, _, broken in self.walk(net) if broken]

    def walk(self, net: Net) -> Iterator[tuple[Layer, tuple[Shape, ...], tuple[Violation, ...]]]:
        """Yield each layer with its bottoms' shapes as the target infers them, and the limits that it breaks there."""
        shapes = {blob: self.seen(shape) for blob, shape in net.shapes.items()}
        computed = computed_with(net)
        for layer in net.layers:
            bottoms = tuple(shapes[bottom] for bottom in layer.bottoms)
            there = self if computed.isdisjoint(layer.tops) else self.narrowed
            try:
                makers = tuple(net.producers.get(bottom) for bottom in layer.bottoms)
                yield layer, bottoms, there.violations(layer, bottoms, makers)
                shapes.update(zip(layer.tops, self.infer(layer, bottoms), strict=True))
            except BadOp as error:
                yield layer, bottoms, (Violation(f"with the shapes that {self.name} infers: {error}", self.source),)


def computed_with(net: Net) -> frozenset[str]:
    """Return the blobs that a layer computes with: one that does more than to hand its bottom on under other dims."""
    found: set[str] = set()
    for layer in reversed(net.layers):
        if not isinstance(layer.op, HANDING_ON) or not found.isdisjoint(layer.tops):
            found.update(layer.bottoms)
    return frozenset(found)


def _sentence(what: str, limit: Limit) -> str:
    """Return what the layer has and what it should have; once only if the one says the other."""
    return what if limit.sentence in what else f"{what}, but {limit.sentence}"


def with_least_dims(shape: Shape, dims: int) -> Shape:
    """Return the shape with dims of 1 behind until it has `dims`."""
    return (*shape, *(1,) * (dims - len(shape)))


def _plain(value: object) -> str:
    return str(value) if not isinstance(value, tuple) else "x".join(map(str, value))
