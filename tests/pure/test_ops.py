"""What holds for every op class: a frozen record of plain values that states its equation."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from inspect import isabstract

import pytest

from torch2om import layers
from torch2om.ir.op import Op
from torch2om.layers import ArithmeticKind, Cell, CompareKind, PoolMethod, ReduceKind, ResizeMode

CLASSES = [
    kind
    for kind in (getattr(layers, name) for name in layers.__all__)
    if isinstance(kind, type) and issubclass(kind, Op)
]
# The parameters of classes that have no sound defaults for all of them.
NEEDED: dict[type[Op], dict[str, object]] = {
    layers.LSTM: {"num_output": 1},
    layers.RNN: {"num_output": 1},
    layers.SPP: {"pyramid_height": 2},
    layers.AdaptivePooling: {"pool": PoolMethod.MAX, "size": (2, 2)},
    layers.ArgReduce: {"kind": ReduceKind.MAX, "axis": 1},
    layers.Arithmetic: {"kind": ArithmeticKind.ADD},
    layers.Clip: {"min": 0.0, "max": 1.0},
    layers.Compare: {"kind": CompareKind.GT},
    layers.Constant: {"shape": (2, 3)},
    layers.Convolution: {"num_output": 1, "kernel": (3, 3)},
    layers.Deconvolution: {"num_output": 1, "kernel": (3, 3)},
    layers.DepthwiseConvolution: {"num_output": 1, "kernel": (3, 3)},
    layers.Expand: {"shape": (2, 3)},
    layers.Hole: {"shape": (2, 3)},
    layers.Im2col: {"kernel": (3, 3)},
    layers.InnerProduct: {"num_output": 1},
    layers.LinearMap: {"axis": 1},
    layers.Pad: {"pads": ((0, 0), (1, 1))},
    layers.Pooling: {"kernel": (2, 2)},
    layers.Recurrence: {"cell": Cell.GRU, "hidden": 4},
    layers.Reduce: {"kind": ReduceKind.SUM, "axes": (1,)},
    layers.Resize: {"mode": ResizeMode.LINEAR, "size": (4, 4)},
    layers.Reverse: {"axis": (0,)},
    layers.Standardize: {"axes": (1,), "eps": 1e-5},
    layers.StridedSlice: {"axis": 1, "start": 0, "stop": 2},
    layers.Proposal: {"ratio": (1.0,), "scale": (8.0,)},
    layers.Tile: {"tiles": 2},
    layers.WindowPooling: {"pool": PoolMethod.MAX, "kernel": (2, 2), "stride": (2, 2)},
}
WITHOUT_TOP_OR_MEANING = {layers.Silence, layers.Hole}


def example(kind: type[Op]) -> Op:
    return kind(**NEEDED.get(kind, {}))


@pytest.mark.parametrize("kind", CLASSES)
def test_an_op_is_frozen(kind: type[Op]) -> None:
    op = example(kind)
    with pytest.raises(FrozenInstanceError):
        op.anything = 1  # type: ignore[attr-defined]  # the point of the test
    for field in fields(op):
        with pytest.raises(FrozenInstanceError):
            setattr(op, field.name, getattr(op, field.name))


@pytest.mark.parametrize("kind", CLASSES)
def test_an_op_is_a_value(kind: type[Op]) -> None:
    op = example(kind)
    again = replace(op, **{field.name: getattr(op, field.name) for field in fields(op)})
    assert again is not op
    assert (again, hash(again), type(again)) == (op, hash(op), kind)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_first_line_of_an_op_states_its_equation(kind: type[Op]) -> None:
    first = (kind.__doc__ or "").splitlines()[0]
    assert first.endswith(".")
    assert " = " in first or kind in WITHOUT_TOP_OR_MEANING


@pytest.mark.parametrize("kind", CLASSES)
def test_an_op_bears_caffes_type_name_or_is_virtual(kind: type[Op]) -> None:
    assert kind.caffe_type in {kind.__name__, None}
    assert (layers.CAFFE_TYPES.get(kind.__name__) is kind) == (kind.caffe_type is not None)


def descendants(kind: type[object]) -> set[type[object]]:
    return {kind}.union(*(descendants(below) for below in kind.__subclasses__()))


def test_every_op_class_of_the_package_is_exported() -> None:
    concrete = {kind for kind in descendants(Op) if not isabstract(kind)}
    assert {kind for kind in concrete if kind.__module__.startswith("torch2om.layers.")} == set(CLASSES)
