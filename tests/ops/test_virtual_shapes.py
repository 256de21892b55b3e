from __future__ import annotations

import pytest
import torch
from agreement import assert_agrees, normal
from torch.nn import functional

from torch2om.ir.op import BadOp, Shape
from torch2om.layers import Constant, Expand, Hole, Pad, PadMode, StridedSlice

Pads = tuple[tuple[int, int], ...]

PADS: tuple[Pads, ...] = (
    ((1, 2), (3, 0)),
    ((0, 0), (2, 2)),
    ((-1, 2), (3, -2)),
    ((2, -3), (-2, -1)),
    ((0, -1), (0, 3)),
)


def flat(pads: Pads) -> list[int]:
    """PyTorch wants the last dim's pads first."""
    return [number for pair in reversed(pads) for number in pair]


@pytest.mark.parametrize("pads", PADS)
@pytest.mark.parametrize("mode", PadMode)
def test_every_mode_pads_and_crops_as_pytorch(mode: PadMode, pads: Pads) -> None:
    x = normal(1, 2, 6, 7)
    padded = functional.pad(x, flat(pads), mode=mode.value.lower())
    assert_agrees(Pad(((0, 0), (0, 0), *pads), mode), [x], [padded])


def test_a_constant_pad_reaches_every_dim_with_its_value() -> None:
    x = normal(2, 3, 4)
    pads = ((1, 0), (-1, 2), (0, 3))
    assert_agrees(Pad(pads, value=-1.5), [x], [functional.pad(x, flat(pads), value=-1.5)])


def test_reflection_fills_up_to_one_less_than_the_length_and_circulation_up_to_the_length() -> None:
    x = normal(1, 2, 4)
    for mode, most in ((PadMode.REFLECT, 3), (PadMode.CIRCULAR, 4)):
        wide = functional.pad(x, [most, most], mode=mode.value.lower())
        assert_agrees(Pad(((0, 0), (0, 0), (most, most)), mode), [x], [wide])
        with pytest.raises(BadOp, match=f"at most {most} possible"):
            Pad(((0, 0), (0, 0), (most + 1, 0)), mode).infer([(1, 2, 4)], [])


def test_pads_that_fit_no_blob_are_refused() -> None:
    with pytest.raises(BadOp, match="leave nothing of 4 elements"):
        Pad(((-2, -2),)).infer([(4,)], [])
    with pytest.raises(BadOp, match="1 pairs of pads for a bottom of rank 2"):
        Pad(((1, 1),)).infer([(4, 4)], [])


@pytest.mark.parametrize(
    ("axis", "start", "stop", "step"),
    [(1, 0, 6, 2), (1, 1, 6, 2), (-1, 2, 5, 1), (0, -2, 2**63 - 1, 1), (2, 0, -1, 3), (1, 5, 100, 1)],
)
def test_slices_take_pythons_bounds(axis: int, start: int, stop: int, step: int) -> None:
    x = normal(3, 6, 7)
    wanted = torch.ops.aten.slice.Tensor(x, axis, start, stop, step)
    assert_agrees(StridedSlice(axis, start, stop, step), [x], [wanted])


def test_empty_and_backward_slices_are_refused() -> None:
    with pytest.raises(BadOp, match="the slice 4:4:1 of 6 elements is empty"):
        StridedSlice(0, 4, 4).infer([(6,)], [])
    with pytest.raises(BadOp, match="step must be at least 1"):
        StridedSlice(0, 5, 0, -1)


@pytest.mark.parametrize(("have", "want"), [((3, 1), (3, 4)), ((1,), (2, 3, 4)), ((2, 1, 1), (5, 2, 3, 1)), ((), (2,))])
def test_expansion_repeats_dims_of_length_one(have: Shape, want: Shape) -> None:
    x = normal(*have)
    assert_agrees(Expand(want), [x], [x.expand(want)])


def test_expansion_of_other_dims_is_refused() -> None:
    with pytest.raises(BadOp, match=r"\[3\] does not expand to \[1\]"):
        Expand((1,)).infer([(3,)], [])
    with pytest.raises(BadOp, match="do not broadcast"):
        Expand((4,)).infer([(3,)], [])


def test_a_constant_is_its_weight() -> None:
    weight = normal(2, 3)
    assert_agrees(Constant((2, 3)), [], [weight], [weight])
    with pytest.raises(BadOp, match=r"weight 0 has shape \[3, 2\], needs \[2, 3\]"):
        Constant((2, 3)).infer([], [(3, 2)])


def test_a_hole_has_a_shape_but_no_values() -> None:
    hole = Hole((2, 3))
    assert hole.infer([(9,), (8, 7)], []) == ((2, 3),)
    with pytest.raises(AssertionError, match="refused call"):
        hole.run([], [])
