from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from torch2om.errors import CaffeFileError, UsageError
from torch2om.executor import BLOCK, blobs, execute, width_of
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes
from torch2om.ir.weight import Weight, constant
from torch2om.layers import (
    Bias,
    Eltwise,
    EltwiseOperation,
    Exp,
    InnerProduct,
    Pooling,
    PoolMethod,
    Power,
    ReLU,
    Reshape,
    Scale,
    Slice,
    Tile,
)
from torch2om.layers.selection import rounds_once


def doubled(name: str, bottom: str, top: str) -> Layer:
    return Layer(name, Power(scale=2), (bottom,), (top,))


def chain(*layers: Layer, outputs: tuple[str, ...] = (), shape: Shape = (2, 3)) -> Net:
    return Net("net", (Input("x", shape),), layers, tuple(Output(blob) for blob in outputs))


X = np.arange(6, dtype=np.float32).reshape(2, 3)
THREE = chain(doubled("a", "x", "ya"), doubled("b", "ya", "yb"), doubled("c", "yb", "yc"), outputs=("yc",))


def test_the_nets_outputs_are_returned_in_their_order() -> None:
    net = chain(doubled("a", "x", "y"), doubled("b", "y", "z"), outputs=("z", "y", "z"))
    found = execute(net, {"x": X})
    assert list(found) == ["z", "y"]
    np.testing.assert_array_equal(found["z"], 4 * X)


def test_an_input_can_be_an_output() -> None:
    np.testing.assert_array_equal(execute(chain(outputs=("x",)), {"x": X})["x"], X)


def test_blobs_are_kept_by_name() -> None:
    assert list(execute(THREE, {"x": X}, keep=["yb", "x", "yb"])) == ["yb", "x"]


def test_all_blobs_can_be_kept() -> None:
    found = execute(THREE, {"x": X}, keep="all")
    assert list(found) == ["x", "ya", "yb", "yc"]
    np.testing.assert_array_equal(found["yc"], 8 * X)


def test_keeping_a_blob_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="no blob 'nope'"):
        execute(THREE, {"x": X}, keep=["yc", "nope"])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_blobs_have_the_width_of_the_run(dtype: npt.DTypeLike) -> None:
    assert {blob.dtype for blob in execute(THREE, {"x": X}, dtype, keep="all").values()} == {np.dtype(dtype)}


def test_integer_inputs_are_numbers_too() -> None:
    np.testing.assert_array_equal(execute(THREE, {"x": np.ones((2, 3), np.uint8)})["yc"], 8 * np.ones((2, 3)))


def test_everything_wrong_with_the_inputs_is_said_at_once() -> None:
    net = Net("net", (Input("x", (2, 3)), Input("y", (1,)), Input("z", (1,))), (), ())
    with pytest.raises(UsageError) as caught:
        execute(net, {"x": X.T, "y": np.ones(1, np.complex64), "q": X})
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {"U115"}
    assert [diagnostic.message for diagnostic in caught.value.diagnostics] == [
        "input 'z' has no value",
        "the net has no input 'q'",
        "input 'x' has shape [3, 2], needs [2, 3]",
        "input 'y' holds complex64, which are no real numbers",
    ]
    assert "x [2, 3], y [1], z [1]" in str(caught.value)


@pytest.mark.parametrize("dtype", [np.int32, np.complex128, "longdouble"])
def test_a_net_runs_in_three_widths_only(dtype: npt.DTypeLike) -> None:
    with pytest.raises(UsageError, match="float64, float32, float16, not in"):
        execute(THREE, {"x": X}, dtype)


def test_wrong_inputs_are_refused_before_the_first_blob_is_asked_for() -> None:
    with pytest.raises(UsageError):
        blobs(THREE, {}, ["yc"])


def test_wanted_blobs_come_with_their_layers_in_the_nets_order() -> None:
    net = chain(Layer("s", Slice(axis=1, tops=3), ("x",), ("p", "q", "r")), doubled("a", "q", "y"))
    assert [(layer.name, top) for layer, top, _ in blobs(net, {"x": X}, ["y", "r", "p"])] == [
        ("s", "p"),
        ("s", "r"),
        ("a", "y"),
    ]


def test_a_layer_is_not_run_before_its_blob_is_asked_for() -> None:
    broken = Layer("broken", Failing(lambda: 1 // 0), ("ya",), ("yb",))
    steps = blobs(chain(doubled("a", "x", "ya"), broken), {"x": X}, ["ya", "yb"])
    assert next(steps)[1] == "ya"
    with pytest.raises(ZeroDivisionError):
        next(steps)


def test_a_blob_is_forgotten_after_its_last_reader() -> None:
    net = chain(*(doubled(f"l{i}", f"b{i}" if i else "x", f"b{i + 1}") for i in range(6)))
    steps = blobs(net, {"x": X}, net.producers)
    alive: list[weakref.ref[Array]] = []
    for _, _, blob in steps:
        alive.append(weakref.ref(blob))
        del blob
        gc.collect()
        assert [reference() is not None for reference in alive].count(True) <= 2


def test_a_blob_lives_until_a_late_reader() -> None:
    late = Layer("sum", Eltwise(), ("ya", "yc"), ("y",))
    found = execute(chain(*THREE.layers, late, outputs=("y",)), {"x": X})
    np.testing.assert_array_equal(found["y"], 10 * X)


def test_a_layer_may_read_a_blob_twice() -> None:
    net = chain(Layer("sum", Eltwise(), ("x", "x"), ("y",)), outputs=("y",))
    np.testing.assert_array_equal(execute(net, {"x": X})["y"], 2 * X)


def test_blobs_are_read_only_and_inputs_stay_writable() -> None:
    x = X.astype(np.float64)
    found = execute(THREE, {"x": x}, keep="all")
    assert not any(blob.flags.writeable for blob in found.values())
    assert x.flags.writeable


def test_weights_are_asked_for_in_the_width_of_the_run() -> None:
    third = constant(np.full(3, 1 / 3))
    net = chain(Layer("s", Scale(), ("x",), ("y",), (third,)), outputs=("y",))
    ones = np.ones((2, 3))
    assert execute(net, {"x": ones})["y"][0, 0] == 1 / 3
    assert execute(net, {"x": ones}, np.float32)["y"][0, 0] == np.float32(1 / 3)
    assert execute(net, {"x": ones}, np.float16)["y"][0, 0] == np.float16(1 / 3)


def test_float16_computes_in_float32_and_rounds_each_layer() -> None:
    ones = constant(np.ones((1, 4096)))
    sums = Layer("sum", InnerProduct(1, bias_term=False), ("x",), ("y",), (ones,))
    more = Layer("more", Power(shift=1), ("y",), ("z",))
    net = chain(sums, more, outputs=("y", "z"), shape=(1, 4096))
    found = execute(net, {"x": np.ones((1, 4096))}, np.float16)
    assert found["y"] == 4096  # a sum in float16 would stay at 2048
    assert found["z"] == 4096  # 4097 is no float16


def test_float32_computes_in_float64_and_rounds_each_layer() -> None:
    ones = constant(np.ones((1, 1025)))
    sums = Layer("sum", InnerProduct(1, bias_term=False), ("x",), ("y",), (ones,))
    more = Layer("more", Power(shift=1), ("y",), ("z",))
    net = chain(sums, more, outputs=("y", "z"), shape=(1, 1025))
    found = execute(net, {"x": np.array([[2.0**24, *np.ones(1024)]])}, np.float32)
    assert found["y"] == 2**24 + 1024  # a sum in float32 loses the ones beside 2^24
    assert found["z"] == 2**24 + 1024  # 2^24 + 1025 is no float32


def drawn(*shape: int) -> Array:
    draw = np.random.default_rng(0)
    return draw.standard_normal(shape) * 10.0 ** draw.integers(-20, 20, shape)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize(
    "op", [Scale(0), Bias(0), Eltwise(), Eltwise(coeff=(1, -1)), Eltwise(EltwiseOperation.PROD)], ids=str
)
def test_what_rounds_once_is_the_same_in_the_blobs_own_width(op: Op, dtype: npt.DTypeLike) -> None:
    assert rounds_once(op, 2)
    width, pair = width_of(dtype), drawn(2, 1000)
    net = Net("net", (Input("x", (1000,)), Input("z", (1000,))), (Layer("op", op, ("x", "z"), ("y",)),), (Output("y"),))
    with np.errstate(all="ignore"):
        x, z = (width.round(row).astype(width.computing) for row in pair)
        (expected,) = op.run([x, z], [])
        np.testing.assert_array_equal(execute(net, {"x": x, "z": z}, dtype)["y"], expected.astype(dtype))


@pytest.mark.parametrize(
    ("op", "bottoms"),
    [(Scale(bias_term=True), 2), (Scale(), 1), (Eltwise(), 3), (Eltwise(coeff=(1, 2)), 2), (Exp(), 1)],
)
def test_other_layers_round_more_than_once(op: Op, bottoms: int) -> None:
    assert not rounds_once(op, bottoms)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("op", [Exp(), Power(scale=3), Pooling(PoolMethod.AVE, (3, 3), (2, 2), (1, 1))], ids=str)
def test_a_large_blob_is_computed_part_by_part_as_it_is_at_once(op: Op, dtype: npt.DTypeLike) -> None:
    shape = (2, 3, 203, 301)
    assert np.prod(shape) > BLOCK
    width, x = width_of(dtype), np.random.default_rng(0).standard_normal(shape)
    (expected,) = op.run([width.round(x).astype(width.computing)], [])
    net = chain(Layer("op", op, ("x",), ("y",)), outputs=("y",), shape=shape)
    np.testing.assert_allclose(execute(net, {"x": x}, dtype)["y"], expected.astype(dtype), rtol=1e-14)


def product_of_matrices(pooling: Pooling, images: Shape) -> Net:
    """x @ y / depth of 2 matrices [40, 16] and [16, 512], as Caffe has it."""
    layers = (
        Layer("copies", Tile(1, 40), ("y",), ("copies",)),
        Layer("products", Scale(0), ("copies", "x"), ("products",)),
        Layer("images", Reshape(images), ("products",), ("images",)),
        Layer("means", pooling, ("images",), ("means",)),
    )
    return Net("net", (Input("x", (2, 40, 16)), Input("y", (2, 1, 16, 512))), layers, (Output("means"),))


MEANS = product_of_matrices(Pooling(PoolMethod.AVE, (16, 1)), (1, 80, 16, 512))
FACTORS = {
    "x": np.random.default_rng(1).standard_normal((2, 40, 16)),
    "y": np.random.default_rng(2).standard_normal((2, 1, 16, 512)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize(
    "net",
    [
        MEANS,
        product_of_matrices(Pooling(PoolMethod.MAX, (3, 2), (2, 2)), (1, 80, 16, 512)),
        product_of_matrices(Pooling(PoolMethod.AVE, (16, 1)), (80, 1, 16, 512)),
        product_of_matrices(Pooling(PoolMethod.AVE, (8, 1)), (1, 160, 8, 512)),
        product_of_matrices(Pooling(PoolMethod.AVE, (80, 1)), (1, 16, 80, 512)),
    ],
    ids=["means", "windows", "batch", "halves", "across"],
)
def test_products_that_are_only_summed_are_what_they_are_layer_by_layer(net: Net, dtype: npt.DTypeLike) -> None:
    assert BLOCK < 2 * 40 * 16 * 512
    every = execute(net, FACTORS, dtype, keep="all")
    np.testing.assert_array_equal(execute(net, FACTORS, dtype)["means"], every["means"])
    products = width_of(dtype).round(every["copies"]) * width_of(dtype).round(FACTORS["x"])[..., None]
    np.testing.assert_array_equal(every["products"], products.astype(dtype))


def large_product(rows: int, seed: int = 3) -> Net:
    numbers = np.random.default_rng(seed)
    matrix = numbers.standard_normal((1000, 700)).astype(np.float32)
    weights = (constant(matrix), constant(numbers.standard_normal(1000).astype(np.float32)))
    return chain(Layer("fc", InnerProduct(1000), ("x",), ("y",), weights), outputs=("y",), shape=(rows, 7, 100))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_a_large_matrix_meets_few_rows_as_it_meets_many(dtype: npt.DTypeLike) -> None:
    few, many = large_product(3), large_product(300)
    x = np.random.default_rng(4).standard_normal((300, 7, 100))
    expected, found = execute(many, {"x": x}, dtype)["y"][:3], execute(few, {"x": x[:3]}, dtype)["y"]
    assert (found.dtype, found.flags.writeable) == (expected.dtype, False)
    rounding = max(float(np.finfo(found.dtype).eps), 1e-14)  # float64 sums of 700 products in another order
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding * float(np.abs(expected).max()))


def test_a_large_matrix_that_few_rows_meet_is_not_widened_as_a_whole() -> None:
    net, x = large_product(1), np.ones((1, 7, 100))
    tracemalloc.start()
    execute(net, {"x": x})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 700 * 1000 * 8 / 2


def test_products_that_are_only_summed_are_not_held() -> None:
    tracemalloc.start()
    execute(MEANS, FACTORS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 40 * 16 * 512 * 8


def test_products_that_are_wanted_or_read_twice_are_held() -> None:
    found = execute(MEANS, FACTORS, keep=["products", "means"])
    np.testing.assert_array_equal(found["products"], FACTORS["y"] * FACTORS["x"][..., None])
    twice = Net("net", MEANS.inputs, (*MEANS.layers, doubled("more", "products", "more")), (Output("more"),))
    np.testing.assert_array_equal(execute(twice, FACTORS)["more"], 2 * found["products"])


def test_pooling_of_products_that_does_not_fit_names_its_layer() -> None:
    with pytest.raises(CaffeFileError, match=r"F507 \[means\]"):
        execute(product_of_matrices(Pooling(PoolMethod.AVE, (16, 1)), (80, 16, 512)), FACTORS)


def test_float16_rounds_inputs_and_overflows_to_infinity() -> None:
    net = chain(Layer("e", Exp(), ("x",), ("y",)), outputs=("x", "y"), shape=(2,))
    found = execute(net, {"x": np.array([1 / 3, 12.0])}, np.float16)
    assert found["x"][0] == np.float16(1 / 3)
    assert found["y"][0] == np.float16(np.exp(np.float32(np.float16(1 / 3))))
    assert found["y"][1] == np.inf


@pytest.mark.filterwarnings("error")
def test_infinities_and_nan_are_results_without_warnings() -> None:
    net = chain(Layer("p", Power(power=-0.5), ("x",), ("y",)), outputs=("y",), shape=(3,))
    np.testing.assert_array_equal(execute(net, {"x": np.array([4.0, 0.0, -1.0])})["y"], [0.5, np.inf, np.nan])


@dataclass(frozen=True)
class Failing(Op):
    """y = what an action gives."""

    action: Callable[[], object]
    caffe_type: ClassVar[str | None] = None

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:  # noqa: ARG002 - has no weights
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        self.action()
        return (bottoms[0][:1],)


@dataclass(frozen=True)
class Watching(Op):
    """y = x, and the dtypes that the layer was given are remembered."""

    given: list[np.dtype[np.floating]]
    caffe_type: ClassVar[str | None] = None

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:  # noqa: ARG002 - any
        return ((1,),)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:  # noqa: ARG002 - any
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        self.given.extend(array.dtype for array in (*bottoms, *weights))
        return (bottoms[0],)


@pytest.mark.parametrize(
    ("dtype", "computing"), [(np.float64, np.float64), (np.float32, np.float64), (np.float16, np.float32)]
)
def test_any_layer_is_given_the_width_that_it_computes_in(dtype: npt.DTypeLike, computing: npt.DTypeLike) -> None:
    given: list[np.dtype[np.floating]] = []
    net = chain(Layer("w", Watching(given), ("x",), ("y",), (constant(np.ones(1)),)), outputs=("y",))
    assert execute(net, {"x": X}, dtype)["y"].dtype == dtype
    assert given == [np.dtype(computing)] * 2


def test_a_layer_that_does_not_fit_its_bottoms_is_named() -> None:
    net = chain(doubled("a", "x", "y"), Layer("sum", Eltwise(), ("y",), ("z",)))
    with pytest.raises(CaffeFileError, match=r"F507 \[sum\]: needs 2 bottoms or more") as caught:
        execute(net, {"x": X})
    assert caught.value.diagnostics[0].layer == "sum"


def test_an_error_inside_a_layer_names_the_layer() -> None:
    net = chain(doubled("a", "x", "y"), Layer("bad", Failing(lambda: 1 // 0), ("y",), ("z",)))
    with pytest.raises(ZeroDivisionError) as caught:
        execute(net, {"x": X})
    assert "in layer bad (Failing(" in caught.value.__notes__[0]


def test_a_weight_without_numbers_names_the_layer() -> None:
    def refuse(_: object) -> npt.NDArray[np.float64]:
        raise LookupError("no numbers")

    net = chain(Layer("fc", InnerProduct(1, bias_term=False), ("x",), ("y",), (Weight((1, 3), refuse),)))
    with pytest.raises(LookupError) as caught:
        execute(net, {"x": X}, keep=["y"])
    assert "in layer fc" in caught.value.__notes__[0]


def test_a_result_of_another_shape_than_inferred_is_a_defect_of_the_layer() -> None:
    net = chain(Layer("odd", Failing(lambda: None), ("x",), ("y",)))
    with pytest.raises(AssertionError, match=r"layer odd .* made \[\(1, 3\)\] instead of \[\(2, 3\)\]"):
        execute(net, {"x": X}, keep=["y"])


def test_zero_dimensional_blobs_stay_arrays() -> None:
    net = chain(Layer("a", ReLU(), ("x",), ("y",)), doubled("b", "y", "z"), outputs=("z",), shape=())
    z = execute(net, {"x": np.array(1.5)})["z"]
    assert isinstance(z, np.ndarray)
    assert z == 3
