"""Activations, clamps and rectifiers: where each rule applies, and where it says why not."""

from __future__ import annotations

import math

import numpy as np

from torch2om.layers import (
    BNLL,
    ELU,
    Celu,
    Clip,
    Hardshrink,
    HardSigmoid,
    HardSwish,
    Hardtanh,
    LogSigmoid,
    Mish,
    PReLU,
    ReLU6,
    Selu,
    Softplus,
    Softshrink,
    Softsign,
    Swish,
    Tanhshrink,
    Threshold,
)
from torch2om.rulebook.case import ALWAYS, Case, Entry

S = ((2, 3, 4, 5),)


ENTRIES: dict[str, Entry] = {
    "clamp_by_clip": Entry(Case(Hardtanh(-0.5, math.inf), S), Case(Hardtanh(2, 1), S)),
    "clamp_at_zero": Entry(Case(Hardtanh(-math.inf, 0), S), Case(Hardtanh(0, 0), S)),
    "clamp_by_relu6": Entry(Case(Hardtanh(-2.5, 0), S), Case(Hardtanh(0, math.inf), S)),
    "clamp_by_maximum": Entry(Case(Hardtanh(-math.inf, 0.7), S), Case(Hardtanh(), S)),
    "clamp_ends_in_turn": Entry(Case(Hardtanh(-0.3, 2.5), S), Case(Hardtanh(0, math.inf), S)),
    "clip_as_clamp": Entry(Case(Clip(-1, 2), S), ALWAYS),
    "relu6_as_clamp": Entry(Case(ReLU6(), S), ALWAYS),
    "hard_sigmoid_by_clamp": Entry(Case(HardSigmoid(), S), ALWAYS),
    "hard_sigmoid_by_relu6": Entry(Case(HardSigmoid(), S), ALWAYS),
    "hard_swish_by_hard_sigmoid": Entry(Case(HardSwish(), S), ALWAYS),
    "swish_by_sigmoid": Entry(Case(Swish(1.7), S), ALWAYS),
    "mish_by_softplus": Entry(Case(Mish(), S), ALWAYS),
    "softplus_by_bnll": Entry(Case(Softplus(2.0, 3.0), S), ALWAYS),
    "log_sigmoid_by_bnll": Entry(Case(LogSigmoid(), S), ALWAYS),
    "selu_by_elu": Entry(Case(Selu(), S), ALWAYS),
    "celu_by_elu": Entry(Case(Celu(0.7), S), Case(Celu(-0.7), S)),
    "softsign_by_power": Entry(Case(Softsign(), S), ALWAYS),
    "tanhshrink_by_difference": Entry(Case(Tanhshrink(), S), ALWAYS),
    "hardshrink_by_threshold": Entry(Case(Hardshrink(0.7), S), ALWAYS),
    "softshrink_by_relus": Entry(Case(Softshrink(0.7), S), ALWAYS),
    "elu_by_expm1": Entry(Case(ELU(0.7), S), ALWAYS),
    "celu_by_expm1": Entry(Case(Celu(-0.7), S), ALWAYS),
    "bnll_by_log": Entry(Case(BNLL(), S), ALWAYS),
    "prelu_by_relu": Entry(
        Case(PReLU(channel_shared=True), S, (np.array(0.3),)), Case(PReLU(), S, (np.array([0.1, -0.2, 0.3]),))
    ),
    "prelu_by_scale": Entry(
        Case(PReLU(), S, (np.array([0.1, -0.2, 0.3]),)), Case(PReLU(channel_shared=True), S, (np.array(0.3),))
    ),
    "threshold_by_ramps": Entry(Case(Threshold(0.5), S), ALWAYS),
}
