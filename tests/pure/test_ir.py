"""The net, its weights, its validator and the assembly that passes build with."""

from __future__ import annotations

import numpy as np
import pytest

from torch2om.ir.assembly import Assembly
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.validator import InvalidNet, validate
from torch2om.ir.weight import PIECE, SMALL, Weight, combine, constant, scaled
from torch2om.layers import AbsVal, Convolution, Eltwise, ReLU, Sigmoid
from torch2om.origin import NOWHERE, Origin

SOURCE = (Input("x", (1, 4)),)


def layer(name: str, *bottoms: str) -> Layer:
    return Layer(name, Eltwise() if len(bottoms) > 1 else ReLU(), bottoms, (name,))


def test_a_weight_is_computed_in_the_precision_asked_for() -> None:
    seen: list[np.dtype[np.floating]] = []

    def halved(values: np.ndarray) -> np.ndarray:
        seen.append(values.dtype)
        return values / 2

    large = constant(np.ones((2, SMALL), np.float32)).map((2, SMALL), halved)
    assert large.array(np.float32).dtype == np.float32
    assert large.array(np.float64).dtype == np.float64
    assert seen == [np.float32, np.float64]


def test_a_small_weight_is_always_computed_in_float64() -> None:
    one, tiny = constant(np.array([1.0])), constant(np.array([1e-9]))
    difference = combine((1,), np.subtract, combine((1,), np.add, one, tiny), one)
    assert difference.array(np.float32)[0] == pytest.approx(1e-9, rel=1e-6)


def test_the_numbers_of_a_weight_cannot_be_written_to_and_a_constant_is_not_copied() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    array = constant(values).array(np.float32)
    assert np.shares_memory(array, values)
    assert values.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


LARGE = constant(np.random.default_rng(5).standard_normal((3 * PIECE // 128, 128)).astype(np.float32))
ROWS = constant(np.linspace(1, 2, LARGE.shape[0]))
COLUMNS = constant(np.linspace(1, 3, LARGE.shape[1]))
BY_ROWS = scaled(LARGE, ROWS, lambda factors: factors.reshape(-1, 1))


@pytest.mark.parametrize(
    "weight",
    [
        LARGE,
        constant(LARGE.array().T),
        LARGE.map(LARGE.shape[::-1], np.transpose),
        BY_ROWS,
        scaled(BY_ROWS, COLUMNS, lambda factors: factors.reshape(1, -1)),
        constant(np.ones((3, PIECE + 1))),
        COLUMNS,
        constant(2.5),
        constant(np.ones((0, 3))),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_pieces_of_a_weight_are_its_array(weight: Weight, dtype: type[np.floating]) -> None:
    pieces = list(weight.pieces(dtype))
    assert all(piece.flags.c_contiguous and not piece.flags.writeable for piece in pieces)
    assert all(piece.size <= PIECE or len(piece) == 1 for piece in pieces)
    whole = np.concatenate(pieces) if weight.shape else pieces[0]
    np.testing.assert_array_equal(whole, weight.array(dtype), strict=True)


def test_the_pieces_of_a_constant_are_not_copied_and_a_product_is_never_whole() -> None:
    assert all(np.shares_memory(piece, LARGE.array(np.float32)) for piece in LARGE.pieces(np.float32))
    computed = BY_ROWS.pieces(np.float32)
    assert next(computed).size == next(computed).size == PIECE


def test_the_net_knows_producers_users_and_shapes() -> None:
    net = Net(
        "net", SOURCE, (layer("a", "x"), layer("b", "a", "x"), layer("c", "a")), (Output("b"), Output("c"), Output("b"))
    )
    assert net.producers["b"].name == "b"
    assert [user.name for user in net.users["a"]] == ["b", "c"]
    assert net.shapes["c"] == (1, 4)
    assert net.output_blobs == ("b", "c")


@pytest.mark.parametrize(
    ("layers", "outputs", "words"),
    [
        ((layer("a", "x"), layer("a", "x")), ("a",), "stands twice"),
        ((layer("a", "x"), Layer("b", ReLU(), ("x",), ("a",))), ("a",), "two producers"),
        ((layer("a", "b"), layer("b", "x")), ("a",), "nothing before it makes"),
        ((Layer("a", Convolution(1, (9, 9)), ("x",), ("a",)),), ("a",), "rank 4"),
        ((layer("a", "x"),), ("z",), "output 'z' does not exist"),
    ],
)
def test_a_net_against_the_specification_is_refused(
    layers: tuple[Layer, ...], outputs: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InvalidNet, match=words):
        validate(Net("net", SOURCE, layers, tuple(map(Output, outputs))))


def test_names_are_unique_and_numbered() -> None:
    names = Names(("relu",))
    assert [names.unique("relu"), names.unique("relu"), names.unique("conv")] == ["relu_1", "relu_2", "conv"]


def test_an_origin_remembers_each_rule_once_in_a_row() -> None:
    assert Origin().through("a").through("a").through("b").via == ("a", "b")
    assert NOWHERE.place == ""
    assert Origin(file="net.py", line=3).place == "net.py:3"
    assert Origin(module="layer1").place == "module layer1"


def assembled(net: Net, replaced: str) -> Net:
    """Replace one layer by |x|, keep the others."""
    assembly = Assembly(net)
    for old in net.layers:
        here = assembly.resolve(old)
        if old.name != replaced:
            assembly.keep(here)
            continue
        builder = Builder(assembly.names, here.origin)
        result = builder.add(AbsVal(), *assembly.bottoms(here)[:1])
        assembly.put(here, builder.layers, (result,))
    return validate(assembly.finish())


def test_a_replaced_layer_takes_its_readers_mirrors_and_outputs_along() -> None:
    net = Net(
        "net", SOURCE, (layer("a", "x"), layer("b", "a")), (Output("a"), Output("b")), {"a": "call", "b": "other"}
    )
    result = assembled(net, "a")
    new = result.layers[0].tops[0]
    assert result.layers[0].op == AbsVal()
    assert result.layers[1].bottoms == (new,)
    assert result.outputs[0].blob == new
    assert result.mirrors[new] == "call"


def test_what_only_a_replaced_layer_read_disappears_with_it() -> None:
    net = Net("net", SOURCE, (layer("a", "x"), layer("b", "a"), layer("c", "x", "b")), (Output("c"),))
    assert [type(found.op) for found in assembled(net, "c").layers] == [AbsVal]


def test_a_blob_read_twice_by_one_layer_is_counted_once() -> None:
    net = Net("net", SOURCE, (layer("a", "x"), layer("b", "a", "a")), (Output("b"),))
    assembly = Assembly(net)
    assembly.keep(net.layers[0])
    assert assembly.read_once(Blob("a", (1, 4)))
    builder = Builder(assembly.names, NOWHERE)
    result = builder.add(Sigmoid(), Blob("x", (1, 4)))
    assembly.put(net.layers[1], builder.layers, (result,))
    assert [type(found.op) for found in assembly.finish().layers] == [Sigmoid]
