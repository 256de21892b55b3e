"""Random weights that hide nothing: no branch is 0, no norm is the identity, and activations keep their size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

SPREAD = 0.1  # of what is added to constants
LARGE = 10**8  # parameters, from which on a smaller batch and the first draw must do
ENLARGED = 2.0  # times at most: how much of a channel's mean a norm may enlarge its rounding by
LEAST = 1e-3  # of gamma as it is drawn: a channel times 0 would hide what made it
TEMPERED = 0.4  # of the gammas of queries and keys
STEADY = 8e-7  # of the outputs' scale: how far PyTorch's own float32 may be from its float64


@dataclass(frozen=True)
class Draw:
    """The ranges that gammas and betas of batch norms are drawn from."""

    gamma: tuple[float, float]
    beta: tuple[float, float]


# Deep nets of random weights may be chaotic: each layer enlarges what was rounded before it, until PyTorch's float32
# is 1e-5, or 1e-2, off its float64. With betas around 1 and gammas that keep what varies small few are; the first of
# these draws under which a model is steady is taken.
DRAWS = (
    Draw((0.5, 1.0), (0.5, 1.5)),
    Draw((0.1, 0.2), (0.5, 1.5)),
    Draw((0.02, 0.04), (0.5, 1.5)),
)


def settled(model: nn.Module, *sizes: Sequence[int]) -> nn.Module:
    """Return the model in eval mode, with statistics of real passes in every batch norm.

    The passes are fed noise, as verification feeds it. Parameters that are the same everywhere (heads and gates of 0,
    layer scales of 1e-5, norms of 1) get numbers of their own: a branch times 0 would be equal whatever it computes.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            _disturb(parameter)
        is_large = sum(each.numel() for each in model.parameters()) >= LARGE
        fed = [torch.randn(2 if is_large else 4, *size) for size in sizes]
        norms = [module for module in model.modules() if getattr(module, "running_var", None) is not None]
        if not norms and _rounding(model.eval(), [each[-1:] for each in fed]) > STEADY:
            _temper(model)
        for draw in DRAWS:
            _take_statistics(model, norms, draw, fed)
            if not norms or is_large or _rounding(model, [each[-1:] for each in fed]) <= STEADY:
                break
    return model.eval()


def _disturb(parameter: nn.Parameter) -> None:
    if not parameter.is_floating_point() or parameter.min() != parameter.max():
        return
    if parameter.numel() > 1:
        scale = max(abs(float(parameter.max())), 1.0)
        parameter.add_(torch.empty_like(parameter).uniform_(-SPREAD, SPREAD) * scale)
    elif float(parameter) == 0:
        parameter.uniform_(0.3, 0.7)


def _temper(model: nn.Module) -> None:
    """Give the norms of queries and keys smaller gammas, as training does where attention has no scale of its own.

    With gammas of 1 the softmax of random queries is nearly a choice among the keys, and enlarges what was rounded.
    """
    for name, module in model.named_modules():
        gamma = getattr(module, "weight", None)
        if name.rpartition(".")[2] in ("q_norm", "k_norm") and isinstance(gamma, nn.Parameter):
            gamma.mul_(TEMPERED)


def _take_statistics(model: nn.Module, norms: Sequence[nn.Module], draw: Draw, fed: Sequence[torch.Tensor]) -> None:
    """Give each norm a gamma and a beta of its own, and the statistics of this pass; all norms are in eval mode."""
    hooks = [norm.register_forward_pre_hook(partial(_settle, draw)) for norm in norms]
    model.eval()(*fed)
    for hook in hooks:
        hook.remove()


def _settle(draw: Draw, norm: nn.Module, fed: tuple[torch.Tensor, ...]) -> None:
    """Settle a norm, frozen ones too: gamma is less where a channel hardly varies, not to enlarge its rounding."""
    dims = [dim for dim in range(fed[0].ndim) if dim != 1]
    variance, mean = torch.var_mean(fed[0], dims, correction=0)
    most = (ENLARGED * variance.sqrt() / mean.abs().clamp(min=torch.finfo(mean.dtype).tiny)).clamp(LEAST, 1.0)
    drawn = {"weight": torch.empty_like(mean).uniform_(*draw.gamma) * most}
    drawn |= {"bias": torch.empty_like(mean).uniform_(*draw.beta), "running_mean": mean, "running_var": variance}
    for name, values in drawn.items():
        held = getattr(norm, name, None)
        if isinstance(held, torch.Tensor):
            held.copy_(values.reshape(held.shape))


def _rounding(model: nn.Module, fed: Sequence[torch.Tensor]) -> float:
    """Return how far the model's float32 is from its float64, of the outputs' scale; the weights stay as they are."""
    single = _outputs(model(*fed))
    double = _outputs(model.double()(*(each.double() for each in fed)))
    model.float()
    pairs = zip(single, double, strict=True)
    return max(float((one - two).abs().max() / two.abs().max()) for one, two in pairs)


def _outputs(result: object) -> list[torch.Tensor]:
    return [each for each in tree_leaves(result) if isinstance(each, torch.Tensor)]
