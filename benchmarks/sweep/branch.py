"""A net of the sweep: one operator or two, drawn from one integer."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import torch
from benchmarks.sweep.draws import shape
from benchmarks.sweep.operator import Operator, Shape, others
from benchmarks.sweep.operators import OPERATORS
from torch import nn
from torch.utils import _pytree as pytree

from torch2om.ir.op import Array
from torch2om.verification import relative_error

MOST_ELEMENTS = 20_000
ATTEMPTS = 60
OWN_ERROR = 2e-6  # of PyTorch's float32, relative to the scale of a result
PAIRS = 0.55  # the share of nets with two operators


class Unfit(Exception):  # noqa: N818 - it says what the drawn parameters are
    """PyTorch does not compute finite numbers with these parameters, or float32 is too coarse for them."""


class Chain(nn.Module):
    """One operator after another; the first result of the one is what the next takes.

    `keeps_first` returns the first operator's results too: a blob that is an output and is read.
    """

    def __init__(self, steps: list[nn.Module], *, keeps_first: bool) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)
        self.counts = [len(others(step)) for step in steps]
        self.keeps_first = keeps_first

    def forward(self, x: torch.Tensor, *blobs: torch.Tensor) -> list[torch.Tensor]:
        kept: list[torch.Tensor] = []
        results: list[torch.Tensor] = [x]
        for step, count in zip(self.steps, self.counts, strict=True):
            results = tensors(step(as_float(results[0]), *blobs[:count]))
            blobs = blobs[count:]
            if self.keeps_first and not kept:
                kept = results
        return results if results is kept else [*kept, *results]


def tensors(tree: Any) -> list[torch.Tensor]:  # Any: any nesting of tensors
    return [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def as_float(x: torch.Tensor) -> torch.Tensor:
    return x if x.is_floating_point() else x.to(torch.get_default_dtype())


@dataclass(frozen=True)
class Branch:
    """A net: `seed` draws it again; `values` are its inputs, `results` what the module itself makes of them."""

    seed: int
    operators: tuple[Operator, ...]
    module: Chain
    values: tuple[Array, ...]
    results: tuple[Array, ...] = field(repr=False)

    @property
    def text(self) -> str:
        """The net as PyTorch prints it, with the shapes of its inputs."""
        return f"inputs {[list(value.shape) for value in self.values]}\n{self.module}"


def draw(seed: int) -> Branch:
    """Return the net of this number: redrawn, always alike, until PyTorch itself computes it."""
    random = Random(seed)  # noqa: S311 - no secret depends on it
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for _ in range(ATTEMPTS):
            try:
                return _drawn(random, seed)
            except Unfit:
                continue
    raise RuntimeError(f"PyTorch computes nothing that seed {seed} draws")


def _drawn(random: Random, seed: int) -> Branch:
    generator = np.random.default_rng(random.randrange(2**32))
    uniform = random.random() < 0.3
    first = random.choice(OPERATORS)
    dims = [shape(random, random.choice([rank for rank in first.ranks if rank]))]  # an input has a dim; 0-d blobs arise
    steps = [_built(first, random, dims[0])]
    chosen = [first]
    values = [_values(generator, dims[0], uniform=uniform)]
    values += [_values(generator, other, uniform=uniform) for other in others(steps[0])]
    if random.random() < PAIRS:
        between = _computed(Chain(steps, keeps_first=False), values)[0].shape
        chosen.append(random.choice([op for op in OPERATORS if len(between) in op.ranks] or OPERATORS))
        steps.append(_built(chosen[1], random, tuple(between)))
        values += [_values(generator, other, uniform=uniform) for other in others(steps[1])]
    _need_conditioned(steps, values)
    chain = Chain(steps, keeps_first=len(steps) > 1 and random.random() < 0.15).eval()
    return Branch(seed, tuple(chosen), chain, tuple(values), _computed(chain, values))


def _values(generator: np.random.Generator, dims: Shape, *, uniform: bool) -> Array:
    made = generator.random(dims) if uniform else generator.standard_normal(dims)
    return np.asarray(made, np.float32)


def _built(operator: Operator, random: Random, dims: Shape) -> nn.Module:
    with refusals():
        module = operator.build(random, dims).eval()
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor.uniform_(0.5, 1.5)  # far from the neutral values that norms begin with
    return module


def _computed(chain: Chain, values: list[Array]) -> tuple[Array, ...]:
    with refusals(), torch.no_grad():
        results = chain(*map(torch.from_numpy, values))
    made = tuple(result.numpy() for result in results)
    sizes = [value.size for value in made]
    if not all(sizes) or sum(sizes) > MOST_ELEMENTS or not all(np.isfinite(value).all() for value in made):
        raise Unfit
    return made


def _need_conditioned(steps: list[nn.Module], values: list[Array]) -> None:
    """Refuse nets on which PyTorch's own float32 is so far from its float64 that 1e-5 cannot be asked of float32 files.

    x - tanh(x) near 0 and the logarithm of numbers near 1 are such.
    """
    chain = Chain(steps, keeps_first=True).eval()
    narrow = _computed(chain, values)
    wide = _computed(deepcopy(chain).double(), [value.astype(np.float64) for value in values])
    if any(relative_error(one, other.astype(np.float64)) > OWN_ERROR for one, other in zip(narrow, wide, strict=True)):
        raise Unfit


class refusals:  # noqa: N801 - used as a context
    """Turns what PyTorch raises at parameters that do not go together into `Unfit`."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise `Unfit` instead of PyTorch's own errors."""
        if isinstance(error, RuntimeError | ValueError | IndexError | ZeroDivisionError | NotImplementedError):
            raise Unfit from error
