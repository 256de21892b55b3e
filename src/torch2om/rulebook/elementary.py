"""Elementary functions and the gaussian: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import Erf, Expm1, Floor, Gelu, Log, Log1p, Rsqrt, Sign, Sin
from torch2om.rulebook.case import ALWAYS, Case, Entry

S = ((2, 3, 4, 5),)


ENTRIES: dict[str, Entry] = {
    "root_by_power": Entry(Case(Rsqrt(), S, offset=9), ALWAYS),
    "log1p_by_log": Entry(Case(Log1p(), S, offset=9), ALWAYS),
    "expm1_by_exp": Entry(Case(Expm1(), S), ALWAYS),
    "sign_by_thresholds": Entry(Case(Sign(), S, whole=True), ALWAYS),
    "log_of_line": Entry(Case(Log(2.0, 0.5, 3.0), S, offset=9), Case(Log(), S)),
    "gelu_by_tail": Entry(Case(Gelu(), S), Case(Gelu(tanh=True), S)),
    "gelu_as_tanh_form": Entry(Case(Gelu(), S), Case(Gelu(tanh=True), S)),
    "gelu_by_sigmoid": Entry(Case(Gelu(tanh=True), S), Case(Gelu(), S)),
    "erf_by_tanh": Entry(Case(Erf(), S), ALWAYS),
    "round_by_nothing": Entry("no layer rounds", Case(Floor(), S)),
    "wave_by_nothing": Entry("no layer is periodic", Case(Sin(), S)),
}
