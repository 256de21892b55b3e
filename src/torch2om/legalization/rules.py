"""The registry of legalization rules: a function per exact rewriting of one layer into others.

`@legalizes(Pooling)` over `def rule(b, op: Pooling, x: Blob) -> Blob`. The docstring's first line is an equation; the
second says whether it is exact and, if not, its error bound. `raise Refuse(reason)` says why it does not apply here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch2om.caffe.dialect import Dialect
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Layer
from torch2om.ir.op import Op, Shape
from torch2om.ir.weight import Weight
from torch2om.layers import Reshape

Result = Blob | tuple[Blob, ...]
RuleFunction = Callable[..., Result]


@dataclass(frozen=True)
class Rule:
    """A rule: what it rewrites, how, and how exact it is.

    `bound` is the declared error relative to the blob's scale (0: equal in real arithmetic). `opt_in` rules change the
    meaning by more than rounding and run only when the user allows them by name. `dialects` are the readers for which
    the equation holds (empty: all): they may disagree on what a layer computes. A `fallback` is tried only where no
    other rule is legal, whatever it costs: MACs and bytes do not say that one layer is better than hundreds.
    """

    name: str
    function: RuleFunction
    bound: float = 0.0
    opt_in: bool = False
    dialects: tuple[Dialect, ...] = ()
    fallback: bool = False

    @property
    def equation(self) -> str:
        """The first line of the rule's docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


class RuleBuilder(Builder):
    """Builds the layers that replace `layer`; its origin carries the rule's name.

    `seed` is a blob of the net (its first input) from which constants can be made where a target has no layer without
    a bottom; None in a net without inputs. `read` says for each top whether anybody reads it; what a rule returns for
    an unread one is never used.
    """

    def __init__(self, names: Names, layer: Layer, rule: str, seed: Blob | None, read: tuple[bool, ...]) -> None:
        super().__init__(names, layer.origin.through(rule))
        self.layer = layer
        self.seed = seed
        self.read = read

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The weights of the layer that is rewritten."""
        return self.layer.weights

    def reshape(self, x: Blob, shape: Shape) -> Blob:
        """Return `x` under the dims `shape`: itself if it has them already."""
        return x if x.shape == shape else self.add(Reshape(shape), x)


_RULES: defaultdict[type[Op], list[Rule]] = defaultdict(list)


def legalizes(
    *ops: type[Op],
    bound: float = 0.0,
    opt_in: bool = False,
    dialects: tuple[Dialect, ...] = (),
    fallback: bool = False,
) -> Callable[[RuleFunction], RuleFunction]:
    """Register the decorated function as a rule for these op classes, tried in the order of registration."""

    def register(function: RuleFunction) -> RuleFunction:
        rule = Rule(function.__name__, function, bound, opt_in, dialects, fallback)
        for op in ops:
            _RULES[op].append(rule)
        return function

    return register


def opt_in_rules() -> tuple[str, ...]:
    """Return the names of the rules that run only when the user allows them."""
    return tuple(dict.fromkeys(rule.name for family in _RULES.values() for rule in family if rule.opt_in))


def rules() -> Mapping[type[Op], list[Rule]]:
    """Return all rules by op class."""
    return MappingProxyType(_RULES)
