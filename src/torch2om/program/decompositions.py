"""The table for `run_decompositions`: the ATen calls that are replaced by their parts, so that lowering knows fewer.

What is not named here stays whole: calls that Caffe has a layer for, or that have a better exact form than their
parts (convolutions, norms, poolings, resizes, recurrences, activations, pixel_shuffle, pad, softmax, ...). Functional
forms come from `run_decompositions` itself, which also removes views of views, in-place writes and dropout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import torch
from torch.export import default_decompositions

from torch2om.program.angles import arc_cosine, arc_sine, arc_tangent
from torch2om.program.convolutions import along_planes, with_named_padding
from torch2om.program.structure import Tree

aten = torch.ops.aten
Overload = torch._ops.OpOverload  # noqa: SLF001 - torch's public operators are of this type
Tensor = torch.Tensor
Decomposition = Callable[..., Tree]

# Calls whose parts PyTorch knows: second names, stacks and products in other words, scalar forms, recurrent cells.
_BY_PYTORCH = """
absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh clip concat concatenate divide fix greater greater_equal
less less_equal multiply negative not_equal subtract true_divide special_erf special_exp2 special_expit special_expm1
special_log1p special_log_softmax special_logsumexp special_round special_softmax max.other min.other __and__ __or__
__xor__ where.Scalar where.ScalarOther where.ScalarSelf masked_fill threshold fill type_as square float_power relu6
addcdiv addcmul addr baddbmm frac glu xlogy std var std_mean var_mean std.correction std_mean.correction
linalg_norm linalg_vecdot linalg_matmul linalg_multi_dot frobenius_norm cosine_similarity chain_matmul dot einsum ger
inner kron mv outer tensordot vdot lstm_cell gru_cell rnn_relu_cell rnn_tanh_cell
atleast_1d atleast_2d atleast_3d broadcast_tensors column_stack diff dstack fliplr flipud hstack rot90
repeat_interleave.self_int row_stack split squeeze t tile transpose unbind unsafe_split unsafe_split_with_sizes
_unsafe_view vstack new_full new_ones new_zeros ones_like zeros_like
"""

MOST_ORDERED = 128  # elements along a dim that are put in order by comparing each with each

# PyTorch's parts of these keep numbers that no net needs, or use calls that are harder than the whole.
_OURS: dict[Overload, Decomposition] = {}


def _parts(*overloads: Overload) -> Callable[[Decomposition], Decomposition]:
    """Register the decorated function as the decomposition of these overloads."""

    def register(function: Decomposition) -> Decomposition:
        _OURS.update(dict.fromkeys(overloads, function))
        return function

    return register


@cache
def decompositions() -> Mapping[Overload, Decomposition]:
    """Return the table, overload -> function. The first call asks PyTorch for its parts (0.1 s)."""
    known = default_decompositions()
    wanted = set(_BY_PYTORCH.split())
    named = {operator: known[operator] for operator in known if wanted.intersection(_names(operator))}
    return {**named, **_OURS}


def _names(operator: object) -> tuple[str, ...]:
    """Return the names that the list may call a functional ATen operator by: `max.other` and `max`."""
    if not isinstance(operator, Overload) or operator.namespace != "aten" or operator._schema.is_mutable:  # noqa: SLF001 - no other door
        return ()
    name = operator._opname  # noqa: SLF001 - no other door
    return name, f"{name}.{operator._overloadname}"  # noqa: SLF001 - no other door


_parts(aten.conv1d.padding, aten.conv2d.padding, aten.conv3d.padding)(with_named_padding)
_parts(aten.conv3d.default)(along_planes)


@_parts(aten.scaled_dot_product_attention.default)
def attention(  # noqa: PLR0913 - the schema's
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,  # noqa: ARG001 - nothing is dropped in eval mode
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q K^T * scale + mask) V; scale is 1 / sqrt(width of a head) by default."""
    if enable_gqa:
        key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
        value = value.repeat_interleave(query.size(-3) // value.size(-3), -3)
    scores = (query @ key.transpose(-2, -1)) * (1 / math.sqrt(query.size(-1)) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype is torch.bool:
        attn_mask = torch.zeros(attn_mask.shape, dtype=query.dtype).masked_fill(~attn_mask, -math.inf)
    return torch.softmax(scores if attn_mask is None else scores + attn_mask, -1) @ value


@_parts(aten.max.dim)
def maximum_and_place(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """(amax(x), argmax(x))."""
    return torch.amax(x, dim, keepdim), torch.argmax(x, dim, keepdim)


@_parts(aten.min.dim)
def minimum_and_place(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """(amin(x), argmin(x))."""
    return torch.amin(x, dim, keepdim), torch.argmin(x, dim, keepdim)


@_parts(aten.aminmax.default)
def both_ends(x: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """(amin(x), amax(x))."""
    dims = () if dim is None else (dim,)
    return torch.amin(x, dims, keepdim), torch.amax(x, dims, keepdim)


@_parts(aten.var_mean.correction)
def variance_and_mean(
    x: Tensor, dim: Sequence[int] | None = None, *, correction: float = 1, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """(var(x), mean(x))."""
    dims = tuple(range(x.dim())) if dim is None else tuple(dim)
    return torch.var(x, dims, correction=correction, keepdim=keepdim), torch.mean(x, dims, keepdim)


@_parts(aten.logsumexp.default)
def log_of_sum_of_exponentials(x: Tensor, dim: list[int], keepdim: bool = False) -> Tensor:
    """Max + log(sum(exp(x - max)))."""
    top = torch.amax(x, dim, keepdim=True)
    total = torch.log(torch.sum(torch.exp(x - top), dim, keepdim=keepdim))
    return total + top.reshape(total.shape)


@_parts(aten.lerp.Scalar, aten.lerp.Tensor)
def interpolated(x: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """X + weight * (end - x)."""
    return x + (end - x) * weight


@_parts(aten.logit.default)
def log_odds(x: Tensor, eps: float | None = None) -> Tensor:
    """log(p / (1 - p)) of p = x, clamped to [eps, 1 - eps]."""
    odds = x if eps is None or eps < 0 else torch.clamp(x, eps, 1 - eps)
    return torch.log(odds / (1 - odds))


@_parts(aten.asinh.default)
def area_of_sine(x: Tensor) -> Tensor:
    """sign(x) * log(|x| + sqrt(x^2 + 1)): of |x|, for x + sqrt(x^2 + 1) cancels below 0."""
    return torch.sign(x) * torch.log(x.abs() + torch.sqrt(x * x + 1))


@_parts(aten.acosh.default)
def area_of_cosine(x: Tensor) -> Tensor:
    """log(x + sqrt(x^2 - 1))."""
    return torch.log(x + torch.sqrt(x * x - 1))


@_parts(aten.atanh.default)
def area_of_tangent(x: Tensor) -> Tensor:
    """log((1 + x) / (1 - x)) / 2."""
    return torch.log((1 + x) / (1 - x)) * 0.5


_parts(aten.atan.default)(arc_tangent)
_parts(aten.asin.default)(arc_sine)
_parts(aten.acos.default)(arc_cosine)


@_parts(aten.rrelu.default)
def leaky_relu_of_mean_slope(
    x: Tensor,
    lower: float = 0.125,
    upper: float = 1 / 3,
    training: bool = False,  # noqa: ARG001 - eval mode
    generator: None = None,  # noqa: ARG001 - the same
) -> Tensor:
    """leaky_relu(x, (lower + upper) / 2): what RReLU is in eval mode (its documentation)."""
    return torch.nn.functional.leaky_relu(x, (lower + upper) / 2)


@_parts(aten.pairwise_distance.default)
def distance(x1: Tensor, x2: Tensor, p: float = 2, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """norm_p(x1 - x2 + eps) over the last dim."""
    length: Tensor = torch.linalg.vector_norm(x1 - x2 + eps, p, -1, keepdim)
    return length


@_parts(aten.cdist.default)
def distances(x1: Tensor, x2: Tensor, p: float = 2, compute_mode: int | None = None) -> Tensor:  # noqa: ARG001 - of speed
    """norm_p(x1[i] - x2[j]) for all i, j: of differences, for |x1|^2 + |x2|^2 - 2 x1 x2 cancels where they are near."""
    length: Tensor = torch.linalg.vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)
    return length


@_parts(aten.cat.default)
def joined(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """cat of those that have elements."""
    full = [tensor for tensor in tensors if tensor.numel()]
    return torch.cat(full, dim) if 0 < len(full) < len(tensors) else NotImplemented


@_parts(aten.addmm.default, aten.addbmm.default)
def product_and_sum(c: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Beta * c + alpha * (a b); addbmm sums the products of the batch."""
    product = a @ b if a.dim() == 2 else (a @ b).sum(0)
    scaled = product if alpha == 1 else product * alpha
    return scaled + (c if beta == 1 else c * beta)


@_parts(aten.one_hot.default)
def one_hot(x: Tensor, num_classes: int = -1) -> Tensor:
    """[x == 0, x == 1, ..., x == num_classes - 1] along a new last dim."""
    return (x.unsqueeze(-1) == torch.arange(num_classes)).to(torch.int64)


@_parts(aten.copy.default)
def copied(x: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:  # noqa: ARG001 - no devices here
    """Source, broadcast to the shape of x and in its dtype."""
    return source.to(x.dtype).expand(x.shape)


@_parts(aten.select_scatter.default)
def with_slice_replaced(x: Tensor, source: Tensor, dim: int, index: int) -> Tensor:
    """X with x[index] along `dim` replaced."""
    start = index % x.size(dim)
    return with_part_replaced(x, source.unsqueeze(dim), dim, start, start + 1)


def with_part_replaced(
    x: Tensor, source: Tensor, dim: int = 0, start: int | None = None, end: int | None = None
) -> Tensor:
    """cat(x[:start], source, x[end:]) along `dim`."""
    size = x.size(dim)
    first, last, _ = slice(start, end).indices(size)
    pieces = [x.narrow(dim, 0, first), source, x.narrow(dim, last, size - last)]
    return torch.cat([piece for piece in pieces if piece.size(dim)], dim)


@_parts(aten.slice_scatter.default)
def with_slices_replaced(
    x: Tensor, source: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """X with x[start:end:step] along `dim` replaced: between two replaced rows one part of x stays."""
    places = range(x.size(dim))[slice(start, end, step)]
    if step == 1:
        return with_part_replaced(x, source, dim, start, end)
    for row, place in enumerate(places):
        x = with_part_replaced(x, source.narrow(dim, row, 1), dim, place, place + 1)
    return x


def _named(dim: Sequence[int] | int | None) -> tuple[int, ...]:
    return (dim,) if isinstance(dim, int) else tuple(dim or ())


@_parts(aten.any.default, aten.any.dim, aten.any.dims)
def whether_any(x: Tensor, dim: Sequence[int] | int | None = None, keepdim: bool = False) -> Tensor:
    """The largest of x != 0, as 0 and 1."""
    return torch.amax(x if x.dtype is torch.bool else x != 0, _named(dim), keepdim)


@_parts(aten.all.default, aten.all.dim, aten.all.dims)
def whether_all(x: Tensor, dim: Sequence[int] | int | None = None, keepdim: bool = False) -> Tensor:
    """The smallest of x != 0, as 0 and 1."""
    return torch.amin(x if x.dtype is torch.bool else x != 0, _named(dim), keepdim)


@_parts(aten.cumprod.default)
def running_product(x: Tensor, dim: int, *, dtype: torch.dtype | None = None) -> Tensor:  # noqa: ARG001 - all are floats
    """y[i] = x[0] * ... * x[i], by twice as many factors in each round."""
    length = x.size(dim) if x.dim() else 1
    step = 1
    while step < length:
        ones = torch.ones_like(x.narrow(dim, 0, step))
        x = x * torch.cat([ones, x.narrow(dim, 0, length - step)], dim)
        step *= 2
    return x.clone()


def _ordered(x: Tensor, dim: int, places: range, *, largest: bool) -> tuple[Tensor, Tensor]:
    """Return the elements of these places in the order of size along `dim`, and their indices; equals stay in order.

    An element's place is the number of those that come before it: n^2 comparisons, all exact.
    """
    length = x.size(dim)
    rows = x.movedim(dim, -1)
    flat = rows.reshape(-1, length)
    one, other = flat.unsqueeze(-1), flat.unsqueeze(-2)
    ahead = other > one if largest else other < one
    earlier = torch.ones(length, length, dtype=torch.bool).tril(-1)
    place = (ahead | ((other == one) & earlier)).sum(-1)
    found = place.unsqueeze(-2) == torch.arange(places.start, places.stop).unsqueeze(-1)
    values, indices = (found * other).sum(-1), (found * torch.arange(length)).sum(-1)
    shape = (*rows.shape[:-1], len(places))
    return values.reshape(shape).movedim(-1, dim), indices.reshape(shape).movedim(-1, dim)


def _may_order(x: Tensor, dim: int) -> bool:
    """Whether there are few enough elements; a decomposition that returns NotImplemented leaves the call whole."""
    return x.dim() > 0 and x.size(dim) <= MOST_ORDERED


@_parts(aten.sort.default)
def sorted_(x: Tensor, dim: int = -1, descending: bool = False) -> Tree:
    """Every element at the place that the number of smaller (or larger) ones names."""
    if not _may_order(x, dim):
        return NotImplemented
    return _ordered(x, dim, range(x.size(dim)), largest=descending)


@_parts(aten.sort.stable)
def sorted_stable(
    x: Tensor,
    *,
    stable: bool | None = None,  # noqa: ARG001 - it always is
    dim: int = -1,
    descending: bool = False,
) -> Tree:
    """As sort: it keeps equals in order."""
    return sorted_(x, dim, descending)


@_parts(aten.argsort.default)
def order(x: Tensor, dim: int = -1, descending: bool = False) -> Tree:
    """The indices of a sort."""
    return sorted_(x, dim, descending)[1] if _may_order(x, dim) else NotImplemented


@_parts(aten.argsort.stable)
def order_stable(
    x: Tensor,
    *,
    stable: bool,  # noqa: ARG001 - it always is
    dim: int = -1,
    descending: bool = False,
) -> Tree:
    """As argsort: it keeps equals in order."""
    return order(x, dim, descending)


@_parts(aten.topk.default)
def first_ordered(
    x: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,  # noqa: ARG001 - sorted is one of the orders allowed
) -> Tree:
    """The first k of a sort; one alone is a maximum, which lowering knows."""
    if k == 1 or not _may_order(x, dim):
        return NotImplemented
    return _ordered(x, dim, range(k), largest=largest)


@_parts(aten.kthvalue.default)
def kth_value(x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Tree:
    """The k-th of a sort, counted from 1."""
    if not _may_order(x, dim):
        return NotImplemented
    values, indices = _ordered(x, dim, range(k - 1, k), largest=False)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


@_parts(aten.median.dim)
def median_value(x: Tensor, dim: int, keepdim: bool = False) -> Tree:
    """The lower of the middle elements (torch.median)."""
    return kth_value(x, (x.size(dim) + 1) // 2 if x.dim() else 1, dim, keepdim)


@_parts(aten.median.default)
def median_of_all(x: Tensor) -> Tree:
    """The lower of the middle elements of all."""
    flat = x.reshape(-1)
    if not _may_order(flat, 0):
        return NotImplemented
    return kth_value(flat, (flat.size(0) + 1) // 2, 0)[0]
