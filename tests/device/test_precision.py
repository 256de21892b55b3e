"""The study of half precision: which layers it names, why, and what keeping them brings."""

from __future__ import annotations

import numpy as np
import pytest

from torch2om.errors import DeviceError
from torch2om.executor import execute
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Op
from torch2om.ir.weight import constant
from torch2om.layers import BatchedMatMul, Concat, Eltwise, Exp, InnerProduct, Log, Power, ReLU, Scale
from torch2om.metrics import Verdict
from torch2om.precision import Advice, advise, keep_dtype_file, op_precision_mode_file, study

WIDTH = 64
ROUNDING = 2.0**-11


def layer(name: str, op: Op, *bottoms: str, weights: tuple[np.ndarray, ...] = ()) -> Layer:
    return Layer(name, op, bottoms, (name,), tuple(map(constant, weights)))


def net(*layers: Layer, output: str = "") -> Net:
    return Net("net", (Input("x", (1, WIDTH)),), layers, (Output(output or layers[-1].name),))


def sample(scale: float = 1.0) -> dict[str, np.ndarray]:
    return {"x": (scale * np.random.default_rng(0).standard_normal((1, WIDTH))).astype(np.float32)}


def matrix(seed: int, scale: float = 0.125) -> np.ndarray:
    return scale * np.random.default_rng(seed).standard_normal((WIDTH, WIDTH))


def dense(name: str, bottom: str, weight: np.ndarray) -> Layer:
    return layer(name, InnerProduct(WIDTH, bias_term=False), bottom, weights=(weight,))


def reasons(found: Advice) -> dict[str, str]:
    return {kept.layer.name: kept.reason for kept in found.keep}


SOUND = net(dense("a", "x", matrix(1)), layer("r", ReLU(), "a"), dense("b", "r", matrix(2)))


def test_a_sound_net_needs_nothing() -> None:
    found = advise(SOUND, [sample()])
    assert found.verdict is Verdict.PASS
    assert not any((found.keep, found.after, found.options()))
    assert all(0 < line.own < 4 * ROUNDING for line in found.study.layers)


def test_the_accumulated_error_is_the_half_precision_runs() -> None:
    found = study(SOUND, [sample()])
    exact, half = (execute(SOUND, sample(), dtype, "all") for dtype in (np.float64, np.float16))
    for line in found.layers:
        blob = line.layer.tops[0]
        error = np.linalg.norm(half[blob].astype(np.float64) - exact[blob]) / np.linalg.norm(exact[blob])
        assert line.error == pytest.approx(error, rel=1e-4)


def test_the_own_error_forgets_what_came_before() -> None:
    steps = net(*(dense(f"l{i}", f"l{i - 1}" if i else "x", matrix(i)) for i in range(12)))
    found = study(steps, [sample()])
    assert found.layers[-1].error > 2 * found.layers[0].error
    assert found.layers[-1].own < 2 * found.layers[0].own


def test_a_layer_that_only_selects_has_the_error_of_one_rounding() -> None:
    (_, relu, _) = study(SOUND, [sample()]).layers
    assert 0.1 * ROUNDING < relu.own < ROUNDING


def test_overflow_names_the_layer_that_makes_it_and_the_one_that_reads_it() -> None:
    large = net(layer("p", Power(scale=1e6), "x"), layer("q", Power(scale=1e-6), "p"), dense("d", "q", matrix(1)))
    found = advise(large, [sample()])
    assert found.verdict is Verdict.FAIL
    assert reasons(found).keys() == {"p", "q"}
    assert "half precision ends at 65504" in reasons(found)["p"]
    assert "reads numbers beyond" in reasons(found)["q"]
    assert found.verdict_after is Verdict.PASS
    assert found.study.layers[0].tops.overflowed > WIDTH // 2
    assert [option.text for option in found.options()] == [
        "--precision_mode=force_fp16 --keep_dtype=FILE",
        "--op_precision_mode=FILE.ini",
        "--fp16_high_prec=1",
    ]


def test_a_compiler_is_told_its_own_options_only() -> None:
    found = advise(net(layer("p", Power(scale=1e6), "x")), [sample()])
    assert {option.compiler for option in found.options()} == {"atc", "omg"}
    assert [option.text for option in found.options("omg")] == ["--fp16_high_prec=1"]


def test_numbers_that_vanish_are_counted_and_named() -> None:
    small = net(layer("p", Power(scale=1e-9), "x"), layer("q", Power(scale=1e9), "p"))
    found = advise(small, [sample()])
    assert reasons(found)["p"].startswith("100.0% of its numbers become zero or subnormal")
    assert found.study.layers[0].tops.vanished == WIDTH
    assert found.verdict is Verdict.FAIL
    assert found.verdict_after is Verdict.PASS


def test_subnormal_numbers_are_counted_apart() -> None:
    (line,) = study(net(layer("p", Power(scale=1e-6), "x")), [sample()]).layers
    assert line.tops.vanished < 8
    assert line.tops.subnormal == WIDTH - line.tops.vanished


def test_weights_that_vanish_are_the_reason() -> None:
    tiny = layer("s", Scale(), "x", weights=(np.full(WIDTH, 1e-8),))
    found = advise(net(tiny, layer("q", Power(scale=1e8), "s")), [sample(1e4)])
    assert reasons(found)["s"].startswith("100.0% of its weights become zero or subnormal")


def test_cancellation_keeps_the_layers_before_it_too() -> None:
    """x + 1000 - 1000: the difference is exact, the rounding of its inputs is what hurts."""
    terms = (layer("far", Power(shift=1000), "x"), layer("r", ReLU(), "far"), layer("near", Power(shift=-1000), "r"))
    found = advise(net(*terms), [sample()])
    assert reasons(found)["near"].startswith("its own error is that of")
    assert reasons(found)["r"] == reasons(found)["far"] == "near needs its numbers unrounded"
    assert found.verdict is Verdict.WARN
    assert found.verdict_after is Verdict.PASS
    assert found.after[0].measures.relative_euclidean < 1e-3


def test_a_product_of_matrices_takes_half_precision_even_if_it_is_kept() -> None:
    """Its inputs overflow and stay infinite, and ATC's options for the whole net are what is left."""
    large = net(layer("p", Power(scale=1e6), "x"), dense("d", "p", matrix(1, 1e-6)))
    found = advise(large, [sample()])
    assert reasons(found).keys() == {"p", "d"}
    assert found.verdict_after is Verdict.FAIL
    assert "--precision_mode=allow_fp32_to_fp16" in [option.text for option in found.options()]


def test_an_error_that_does_not_reach_the_outputs_is_harmless() -> None:
    """x + 1e-9 x^2: the square's numbers vanish, and nobody misses them."""
    tiny = layer("tiny", Power(power=2, scale=1e-5), "x")
    found = advise(net(tiny, layer("sum", Eltwise(), "x", "tiny")), [sample()])
    assert found.verdict is Verdict.PASS
    assert not any((found.keep, found.after, found.options()))
    assert [kept.layer.name for kept in found.harmless] == ["tiny"]


def test_a_kept_products_result_is_not_rounded() -> None:
    large = net(dense("d", "x", matrix(1, 1e4)), layer("p", Power(scale=1e-4), "d"))
    found = advise(large, [sample()])
    assert reasons(found).keys() == {"d", "p"}
    assert found.verdict_after is Verdict.PASS


def test_the_worst_of_several_samples_counts() -> None:
    exp = net(layer("e", Exp(), "x"), layer("l", Log(), "e"))
    mild, wild = sample(), sample(6.0)
    assert not advise(exp, [mild]).keep
    found = advise(exp, [mild, wild])
    assert reasons(found).keys() >= {"e"}
    assert found.study.samples == 2
    assert [(each.blob, each.sample) for each in found.after] == [("l", 0), ("l", 1)]
    assert found.study.layers[0].tops.size == 2 * WIDTH


def test_a_layer_with_several_bottoms_and_an_input_that_is_an_output() -> None:
    both = Net(
        "net",
        (Input("x", (1, WIDTH)),),
        (layer("c", Concat(), "x", "x"), layer("e", Eltwise(), "x", "x")),
        (Output("x"), Output("c"), Output("e")),
    )
    found = study(both, [sample()])
    assert [each.blob for each in found.outputs] == ["x", "c", "e"]
    assert all(each.measures.relative_euclidean < ROUNDING for each in found.outputs)


def test_a_net_that_is_not_finite_itself_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"D851 \[l\]: it computes NaN or infinity"):
        study(net(layer("l", Log(), "x")), [sample()])


def test_the_files_name_each_layer_on_its_line() -> None:
    layers = [layer("a/b.1", Power(), "x"), layer("m", BatchedMatMul(), "x", "x")]
    assert keep_dtype_file(layers) == "a/b.1\nm\n"
    assert op_precision_mode_file(layers) == "[ByNodeName]\na/b.1=high_precision\n"
    assert op_precision_mode_file(layers[1:]) == ""
