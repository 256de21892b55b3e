"""Legalization end to end: the driver's choices, and legal nets that compute what the virtual ones do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pytest
from legal import assert_computes_the_same
from legality import ALL

from torch2om.analysis import analyze
from torch2om.errors import LegalityError, Refuse
from torch2om.executor import execute
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Op, Shape
from torch2om.ir.validator import validate
from torch2om.ir.weight import constant
from torch2om.layers import (
    AdaptivePooling,
    ArgMax,
    ArgReduce,
    Arithmetic,
    ArithmeticKind,
    Compare,
    CompareKind,
    Concat,
    Constant,
    Convolution,
    Expand,
    Floor,
    Gelu,
    HardSwish,
    Hardtanh,
    Im2col,
    InnerProduct,
    LinearMap,
    Pad,
    PadMode,
    Permute,
    Pooling,
    PoolMethod,
    PriorBox,
    Reduce,
    ReduceKind,
    ReLU,
    Reshape,
    Resize,
    ResizeMode,
    Silence,
    Slice,
    Softmax,
    Split,
    StridedSlice,
    Upsample,
    Where,
    WindowPooling,
)
from torch2om.legalization import expose_outputs, legalize, legalizes
from torch2om.legalization.linear_map import selection
from torch2om.legalization.rules import Result, Rule, RuleBuilder, rules
from torch2om.origin import Origin
from torch2om.rulebook import Case
from torch2om.targets import TARGETS, check

S = (2, 3, 4, 5)
NONE = (0, 0)
KINDS = [kind for kind in ArithmeticKind if kind is not ArithmeticKind.POW]
BROADCASTS = [
    (S, S),
    (S, (2, 3, 1, 1)),
    ((2, 1, 4, 5), S),
    (S, (1,)),
    ((), S),
    ((2, 3, 1), (4,)),
    ((2, 1, 4, 1), (3, 1, 5)),
]
AXES = [(2, 3), (1,), (0,), (-1,), (1, 3), (0, 2), (0, 1, 2, 3)]

ROWS = [
    *(Case(Arithmetic(kind), shapes, offset=4.0) for kind in KINDS for shapes in BROADCASTS),
    *(Case(Compare(kind), ((4, 9), (9,)), whole=True) for kind in CompareKind),
    Case(Where(), (S, S, (1,)), whole=True),
    *(Case(Reduce(kind, axes, keepdim), (S,)) for kind in ReduceKind for axes in AXES for keepdim in (False, True)),
    *(Case(ArgReduce(kind, axis), (S,)) for kind in (ReduceKind.MAX, ReduceKind.MIN) for axis in (1, -1)),
    Case(ArgReduce(ReduceKind.MAX, 0), ((100, 2),)),
    Case(ArgReduce(ReduceKind.MIN, 0, keepdim=True), ((7,),)),
    Case(Expand((1, 1)), ((1,),)),
    *(Case(Permute(order), (S,)) for order in ((0, 2, 3, 1), (3, 2, 1, 0), (0, 1, 3, 2))),
    Case(Expand((2, 3, 4, 5)), ((3, 1, 1),)),
    *(Case(StridedSlice(axis, 1, 9, step), ((2, 9, 3),)) for axis in (1, 2) for step in (1, 2, 4)),
    Case(LinearMap(1), (S,), ((5, 3),)),
    Case(Pad((NONE, (1, 0), (1, 2), (0, 3)), value=-1.5), (S,)),
    *(Case(Pad((NONE, NONE, (1, 2), (-1, 3)), mode), (S,)) for mode in PadMode),
    *(Case(Resize(mode, (8, 15)), (S,)) for mode in ResizeMode),
    *(Case(Resize(mode, (3, 7)), (S,)) for mode in ResizeMode),
    Case(Resize(ResizeMode.LINEAR, (7, 9), align_corners=True), (S,)),
    Case(Resize(ResizeMode.LINEAR, (13,), scales=(2.6,)), ((2, 3, 5),)),
    Case(WindowPooling(PoolMethod.AVE, (3, 3), (2, 2), (1, 1), ceil=True, count_include_pad=False), (S,)),
    Case(WindowPooling(PoolMethod.AVE, (3, 2), (2, 1), (1, 0)), (S,)),
    Case(WindowPooling(PoolMethod.AVE, (2, 2), (3, 3), ceil=True), ((1, 2, 7, 9),)),
    Case(WindowPooling(PoolMethod.MAX, (2, 4), (1, 4), (0, 2), (1, 2), ceil=True), ((3, 11, 10),)),
    Case(WindowPooling(PoolMethod.MAX, (2, 2), (3, 3), ceil=True), ((1, 2, 7, 9),)),
    Case(WindowPooling(PoolMethod.AVE, (1, 3), (4, 2), (0, 1), ceil=True), ((11, 4),)),
    Case(WindowPooling(PoolMethod.MAX, (3, 3), (2, 2), (1, 1), (2, 2)), ((1, 2, 9, 10),)),
    *(Case(AdaptivePooling(pool, (3, 2)), (S,)) for pool in (PoolMethod.MAX, PoolMethod.AVE)),
    Case(Constant((2, 3)), (), ((2, 3),)),
    Case(Convolution(4, (3,), (2,), (1,), (1,)), ((2, 3, 9),), ((4, 3, 3), (4,))),
    Case(InnerProduct(4, axis=3), (S,), ((4, 5), (4,))),
    Case(Im2col((2, 3), (1, 2), (1, 0), (2, 1)), (S,)),
    Case(Arithmetic(ArithmeticKind.MUL), ((5,), (5,))),
    *(Case(op, (S,)) for op in (Hardtanh(-1, math.inf), HardSwish(), Gelu())),
    *(Case(op, ((5,),)) for op in (Hardtanh(-1, 1), HardSwish(), StridedSlice(0, 1, 4, 2))),
    Case(Concat(0), ((2,), (3,))),
    Case(PriorBox((10,), (20,), (2, 3), variance=(0.1, 0.2, 0.3, 0.4), clip=True), ((1, 3, 4, 6), (1, 3, 32, 48))),
    Case(PriorBox((10.5,), (), (2,), False, step=(3, 5)), ((1, 3, 4, 6), (1, 3, 32, 48))),
]


# A net's input of no dims is there in some targets only; an output of none is one element in the others.
CASES = [(row, name) for row in ROWS for name in ALL if TARGETS[name].scalars or () not in row.shapes]


@pytest.mark.parametrize(("row", "target"), CASES, ids=str)
def test_a_legal_net_computes_what_the_virtual_one_does(row: Case, target: str) -> None:
    net = validate(legalize(row.net(), TARGETS[target]))
    check(net, TARGETS[target])
    assert_computes_the_same(net, row)


Numbers = npt.NDArray[np.float64]
NO_WEIGHTS: Mapping[int, tuple[Numbers, ...]] = MappingProxyType({})


def chain(*ops: Op, shape: Shape = S, weights: Mapping[int, tuple[Numbers, ...]] = NO_WEIGHTS) -> Net:
    """Return the net of these layers one after the other."""
    b = Builder(Names(("x",)), Origin(call="net"))
    blob = Blob("x", shape)
    for index, op in enumerate(ops):
        blob = b.add(op, blob, weights=tuple(map(constant, weights.get(index, ()))))
    return Net("net", (Input("x", shape),), tuple(b.layers), (Output(blob.name),), {blob.name: "call"})


def kinds(net: Net) -> list[str]:
    return [type(layer.op).__name__ for layer in net.layers]


@pytest.mark.parametrize("target", ALL)
def test_legal_layers_are_never_touched(target: str) -> None:
    net = chain(ReLU(), Pooling(PoolMethod.MAX, (2, 2), (2, 2)), Softmax(1))
    assert legalize(net, TARGETS[target]).layers == net.layers


def test_the_cheaper_rule_wins() -> None:
    assert kinds(legalize(chain(Pad((NONE, NONE, (1, 2), (0, 3)))), TARGETS["caffe"])) == ["Convolution"]
    assert kinds(legalize(chain(Resize(ResizeMode.NEAREST, (8, 10))), TARGETS["ascend310"])) == ["Upsample"]
    assert kinds(legalize(chain(Upsample(2)), TARGETS["caffe"])) == ["Deconvolution"]


def test_equal_layers_are_rewritten_alike() -> None:
    found = kinds(legalize(chain(HardSwish(), HardSwish(), HardSwish()), TARGETS["ascend310"]))
    assert found == found[: len(found) // 3] * 3


def test_all_refusals_come_at_once_with_the_reasons_of_the_rules() -> None:
    net = chain(Floor(), ReLU(), Permute((0, 2, 3, 1)), Floor())
    with pytest.raises(LegalityError) as error:
        legalize(net, TARGETS["caffe"])
    found = error.value.diagnostics
    assert [one.code for one in found] == ["T401", "T401"]
    assert "no Caffe layer rounds" in found[0].details[0]
    assert "BVLC" in found[0].source
    assert "outside of the net" in found[0].hint


def test_inexact_rules_run_only_if_allowed() -> None:
    row = Case(Arithmetic(ArithmeticKind.POW), ((2, 3), (2, 3)), offset=9.0)
    with pytest.raises(LegalityError):
        legalize(row.net(), TARGETS["caffe"])
    assert_computes_the_same(legalize(row.net(), TARGETS["caffe"], {"power_of_positive_base"}), row)


def test_the_trail_of_rules_is_in_the_origin() -> None:
    (layer, *_) = legalize(chain(HardSwish()), TARGETS["caffe"]).layers
    assert layer.origin.via == ("hard_swish_by_hard_sigmoid", "hard_sigmoid_by_clamp")


def test_rules_that_lead_in_a_circle_end() -> None:
    @legalizes(Floor)
    def again(b: RuleBuilder, op: Floor, x: Blob) -> Blob:
        """floor(x) = floor(x)."""
        return b.add(op, x)

    try:
        with pytest.raises(LegalityError, match=r"circle|needs Floor"):
            legalize(chain(Floor()), TARGETS["caffe"])
    finally:
        rules()[Floor].pop()


def test_ties_of_an_argmax_go_to_the_first_in_caffe() -> None:
    row = Case(ArgReduce(ReduceKind.MAX, 1), ((40, 5),), whole=True)
    net = legalize(row.net(), TARGETS["caffe"])
    assert ArgMax(axis=1) in [layer.op for layer in net.layers]
    assert_computes_the_same(net, row)


@pytest.mark.parametrize("op", [ArgMax(axis=1), ArgMax(), ArgMax(out_max_val=True, axis=-1)], ids=str)
def test_ties_of_caffes_argmax_stay_caffes_where_the_reader_names_the_first(op: ArgMax) -> None:
    row = Case(op, ((4, 40, 2),), whole=True)
    net = check(validate(legalize(row.net(), TARGETS["ascend310"])), TARGETS["ascend310"])
    assert_computes_the_same(net, row)


def test_a_matrix_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(Refuse, match="16384 x 8192 would pick"):
        selection(range(2**14), 2**13)


def test_reshapes_in_a_row_become_one() -> None:
    net = legalize(chain(Permute((1, 0, 2, 3)), Permute((1, 0, 2, 3))), TARGETS["caffe"])
    assert kinds(net) == ["Reshape", "Im2col", "Reshape", "Im2col", "Reshape"]


def test_what_two_rules_compute_of_one_blob_is_computed_once() -> None:
    constants = (Layer(f"c{i}", Constant((2,)), (), (f"c{i}",), (constant(np.arange(2)),)) for i in (0, 1))
    net = Net("net", (Input("x", S),), tuple(constants), (Output("c0"), Output("c1")))
    assert kinds(legalize(net, TARGETS["ascend310"])).count("Pooling") == 2
    assert kinds(legalize(net, TARGETS["ascend310"])).count("InnerProduct") == 2


@pytest.mark.parametrize("target", ["caffe", "ascend310"])
def test_long_pads_on_one_side_multiply_nothing_and_their_equal_constants_are_one_blob(target: str) -> None:
    b = Builder(Names(("x",)), Origin(call="net"))
    pad = Pad(((0, 0), (0, 0), (0, 0), (0, 60)))
    padded = [b.add(pad, blob) for blob in (Blob("x", (1, 2, 90, 70)), b.add(ReLU(), Blob("x", (1, 2, 90, 70))))]
    outputs = tuple(Output(blob.name) for blob in padded)
    made = legalize(Net("net", (Input("x", (1, 2, 90, 70)),), tuple(b.layers), outputs), TARGETS[target])
    assert analyze(made).macs == 0
    assert kinds(made).count("Concat") == 2
    assert kinds(made).count("Tile") == 1


def test_permutations_multiply_nothing_on_bvlc() -> None:
    net = legalize(chain(Permute((0, 2, 3, 1))), TARGETS["caffe"])
    assert sum(isinstance(layer.op, Im2col) for layer in net.layers) == 1
    assert analyze(net).macs == 0


FULL = {0: (np.ones((7, 60)), np.ones(7))}


def test_a_vector_of_batch_1_gets_its_two_dims_back_where_atc_has_four() -> None:
    net = legalize(chain(InnerProduct(7), ReLU(), Softmax(-1), shape=(1, 3, 4, 5), weights=FULL), TARGETS["ascend310"])
    assert kinds(net) == ["InnerProduct", "ReLU", "Reshape", "Softmax"]
    check(net, TARGETS["ascend310"])


def test_layers_that_read_both_alike_get_no_reshape_until_the_output() -> None:
    net = legalize(chain(InnerProduct(7), ReLU(), Softmax(1), shape=(1, 3, 4, 5), weights=FULL), TARGETS["ascend310"])
    assert kinds(net) == ["InnerProduct", "ReLU", "Softmax", "Reshape"]
    assert net.outputs[0].blob == net.layers[-1].tops[0]
    assert net.mirrors[net.outputs[0].blob] == "call"
    assert TARGETS["ascend310"].infer_all(net)[net.outputs[0].blob] == (1, 7)


def test_larger_batches_and_caffe_need_no_such_reshape() -> None:
    ascend = legalize(chain(InnerProduct(7), Softmax(-1), weights=FULL), TARGETS["ascend310"])
    caffe = legalize(chain(InnerProduct(7), Softmax(-1), shape=(1, 3, 4, 5), weights=FULL), TARGETS["caffe"])
    assert kinds(ascend) == kinds(caffe) == ["InnerProduct", "Softmax"]


def read_inside() -> Net:
    """Return a net whose input, and a blob that is read on, are outputs; and with a top that nobody reads."""
    b = Builder(Names(("x",)), Origin(call="net"))
    x = Blob("x", S)
    y = b.add(ReLU(), x)
    first, _ = b.add_all(Slice(1, (1,)), y)
    return Net(
        "net", (Input("x", S),), tuple(b.layers), tuple(map(Output, ("x", y.name, first.name))), {y.name: "relu"}
    )


def test_outputs_that_are_read_or_are_inputs_get_a_copy_of_their_own() -> None:
    net = validate(expose_outputs(read_inside(), TARGETS["ascend310"]))
    assert kinds(net) == ["ReLU", "Slice", "Split", "Split"]
    assert all(not net.users[output.blob] for output in net.outputs)
    assert net.mirrors[net.outputs[1].blob] == "relu"
    values = {"x": np.random.default_rng(0).standard_normal(S)}
    assert np.array_equal(execute(net, values)[net.outputs[0].blob], values["x"])


def test_a_second_top_gets_a_copy_where_only_layers_can_be_asked_for() -> None:
    net = chain(ReLU())
    parts = Layer("parts", Slice(1, (1,)), net.layers[0].tops, ("a", "b"))
    both = Net("net", net.inputs, (*net.layers, parts), (Output("a"), Output("b")))
    assert kinds(expose_outputs(both, TARGETS["opencv"])) == ["ReLU", "Slice", "Split"]
    assert kinds(expose_outputs(both, TARGETS["caffe"])) == ["ReLU", "Slice"]


def test_unread_tops_are_silenced_where_the_target_has_a_layer_for_it() -> None:
    net = expose_outputs(read_inside(), TARGETS["caffe"])
    (silence,) = (layer for layer in net.layers if isinstance(layer.op, Silence))
    assert silence.bottoms == (net.layers[1].tops[1],)
    assert isinstance(net.producers[net.outputs[0].blob].op, Split)


def calls_of_rules(layers: int) -> int:
    """Return how often rules are called to make that many equal layers legal."""
    calls: Counter[str] = Counter()

    def counted(rule: Rule) -> Rule:
        def function(b: RuleBuilder, op: Hardtanh, x: Blob) -> Result:
            calls[rule.name] += 1
            return rule.function(b, op, x)

        return replace(rule, function=function)

    known = list(rules()[Hardtanh])
    rules()[Hardtanh][:] = map(counted, known)
    try:
        legalize(chain(*(Hardtanh(-1, 3),) * layers), TARGETS["ascend310"])
    finally:
        rules()[Hardtanh][:] = known
    return calls.total()


def test_of_equal_layers_only_the_first_tries_every_rule() -> None:
    few, more, many = map(calls_of_rules, (20, 40, 80))
    assert many - more == 2 * (more - few)
    assert more - few < few


def test_caffes_dims_are_given_back_for_any_batch() -> None:
    weight = constant(np.ones((2, 3)))
    layer = Layer("fc", InnerProduct(2, bias_term=False), ("x",), ("fc",), (weight,))
    net = legalize(Net("net", (Input("x", (1, 3)),), (layer,), (Output("fc"),)), TARGETS["ascend310"])
    (output,) = net.outputs
    assert net.producers[output.blob].op == Reshape((0, 2))  # ATC's fc is [1, 2, 1, 1]
    assert replace(net, inputs=(Input("x", (4, 3)),)).shapes[output.blob] == (4, 2)
