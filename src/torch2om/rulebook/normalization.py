"""Normalizations: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import LRN, MVN, BatchNorm, Normalize, NormRegion, Standardize
from torch2om.rulebook.case import ALWAYS, Case, Entry

S = ((2, 3, 4, 5),)

ENTRIES: dict[str, Entry] = {
    "standardize_rows": Entry(Case(Standardize((2, 3), 1e-5), S), Case(Standardize((1,), 1e-5), S)),
    "standardize_after_mvn": Entry(
        Case(Standardize((2, 3), 1e-5), S), Case(Standardize((2, 3), 1e-5, center=False), S)
    ),
    "standardize_channels": Entry(
        Case(Standardize((1,), 1e-5), S),
        Case(Standardize((2,), 1e-5), S),
        (Case(Standardize((-3,), 1e-5, center=False), S),),
    ),
    "standardize_by_means": Entry(Case(Standardize((2,), 1e-5), S), Case(Standardize((1,), 1e-5), S)),
    "standardize_after_permuting": Entry(Case(Standardize((1,), 1e-5), S), Case(Standardize((2, 3), 1e-5), S)),
    "batch_norm_by_own_statistics": Entry(
        Case(BatchNorm(use_global_stats=False), S, ((3,), (3,), (1,))), Case(BatchNorm(), S, ((3,), (3,), (1,)))
    ),
    "mvn_of_image": Entry(Case(MVN(), ((2, 6),)), Case(MVN(), S)),
    "mvn_by_means": Entry(Case(MVN(across_channels=True), S), ALWAYS),
    "normalize_by_sums": Entry(Case(Normalize(across_spatial=False, channel_shared=False), S, ((3,),)), ALWAYS),
    "lrn_by_pooling": Entry(Case(LRN(3, 0.3, 0.6, 2.0, NormRegion.WITHIN_CHANNEL), S), ALWAYS),
}
