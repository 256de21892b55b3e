"""Is an om the compiled form of these files? Against oms that are compiled here as ATC does it, right and wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packing import Values, fractal_nz, fractal_z, nc1hwc0
from writing import Const, Op, desc, model, om

from torch2om.caffe.reader import parse_net
from torch2om.cli import main
from torch2om.emission import Artifact, Emission, artifact_in, emit
from torch2om.ir.net import Layer
from torch2om.ir.weight import constant
from torch2om.matching import Matching, State, match
from torch2om.om.reader import parse_om
from torch2om.targets import target

NET = """
name: "net"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
  convolution_param { num_output: 32 kernel_size: 3 bias_term: false weight_filler { type: "constant" } } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }
layer { name: "scale" type: "Scale" bottom: "bn" top: "scale" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "scale" top: "relu" }
layer { name: "depth" type: "Convolution" bottom: "relu" top: "depth"
  convolution_param { num_output: 32 group: 32 kernel_size: 3 weight_filler { type: "constant" } } }
layer { name: "up" type: "Deconvolution" bottom: "depth" top: "up"
  convolution_param { num_output: 16 kernel_size: 2 bias_term: false weight_filler { type: "constant" } } }
layer { name: "fc" type: "InnerProduct" bottom: "up" top: "fc"
  inner_product_param { num_output: 10 weight_filler { type: "constant" } } }
"""
Constants = dict[str, dict[str, Const]]
Pack = Callable[[Values], Const]


@dataclass(frozen=True)
class Files:
    """A conversion's folder, and the numbers in it by `layer/index`."""

    artifact: Artifact
    numbers: Mapping[str, Values]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    random = np.random.default_rng(3)
    net = parse_net(NET, None)
    filled = replace(net, layers=tuple(with_numbers(layer, random) for layer in net.layers))
    emit(filled, target("caffe"), Emission(tmp_path))
    named = {f"{layer.name}/{i}": weight.array() for layer in filled.layers for i, weight in enumerate(layer.weights)}
    return Files(artifact_in(tmp_path), named)


def with_numbers(layer: Layer, random: np.random.Generator) -> Layer:
    def numbers(index: int, shape: tuple[int, ...]) -> Values:
        if layer.name == "bn" and index == 2:
            return np.full(shape, 2.0, np.float32)
        values = random.standard_normal(shape).astype(np.float32)
        return np.abs(values) + 0.5 if layer.name == "bn" and index == 1 else values

    weights = (constant(numbers(index, weight.shape)) for index, weight in enumerate(layer.weights))
    return replace(layer, weights=tuple(weights))


def compiled(files: Files) -> Constants:
    """The constants that ATC makes: batch norm folded in float32, rounded to float16, in the chip's layouts."""
    n = {name: values.astype(np.float32) for name, values in files.numbers.items()}
    scale = n["scale/0"] / np.sqrt(n["bn/1"] / 2 + np.float32(1e-5))
    shift = n["scale/1"] - n["bn/0"] / 2 * scale
    return {
        "conv": {"conv_w": filters(n["conv/0"] * scale.reshape(-1, 1, 1, 1)), "conv_b": vector(shift)},
        "depth": {"depth_w": filters(n["depth/0"], 32), "depth_b": vector(n["depth/1"])},
        "up": {"up_w": filters(n["up/0"])},
        "fc": {"fc_w": matrix(n["fc/0"].T), "fc_b": plain(n["fc/1"])},
    }


def filters(values: Values, groups: int = 1) -> Const:
    half = values.astype(np.float16)
    layout = f"FRACTAL_Z:{groups}" if groups > 1 else "FRACTAL_Z"
    return logical(fractal_z(half, groups), layout, half.shape, "NCHW")


def vector(values: Values) -> Const:
    half = values.astype(np.float16)
    return logical(nc1hwc0(half.reshape(1, -1, 1, 1)), "NC1HWC0", half.shape, "NCHW")


def matrix(values: Values) -> Const:
    return logical(fractal_nz(values.astype(np.float16)), "FRACTAL_NZ", values.shape, "ND")


def plain(values: Values) -> Const:
    return Const(values.shape, "ND", data=values.astype(np.float16).tobytes())


def logical(packed: Values, layout: str, shape: tuple[int, ...], axes: str) -> Const:
    return Const(
        (packed.size,), layout, data=packed.tobytes(), attributes={"origin_shape": list(shape), "origin_format": axes}
    )


def judged(files: Files, constants: Constants, **changed: Any) -> Matching:
    """The verdict on an om with these constants; `changed` changes inputs, outputs and names."""
    return match(files.artifact, parse_om(compiled_om(constants, **changed)))


def compiled_om(constants: Constants, **changed: Any) -> bytes:
    given = {
        "input": ("x", (1, 3, 8, 8), "NCHW", 1),
        "outputs": ["fc:0:fc"],
        "shapes": [(1, 10, 1, 1)],
        "original": {},
        **changed,
    }
    name, shape, layout, dtype = given["input"]
    ops = [Op(name, "Data", attributes={"index": 0}, ins=(desc(shape, layout, dtype),))]
    for layer, consts in constants.items():
        ops += [Op(const_name, "Const", attributes={"value": const}) for const_name, const in consts.items()]
        original = {"_datadump_original_op_names": given["original"][layer]} if layer in given["original"] else {}
        ops.append(Op(layer, "Conv2D", ("x:0", *(f"{each}:0" for each in consts)), original))
    ins = tuple(desc(each, "ND", 1) for each in given["shapes"])
    ops.append(Op("Node_Output", "NetOutput", tuple("fc:0" for _ in ins), ins=ins))
    content = model(ops, {"attr_model_out_nodes_name": given["outputs"]})
    return om(((0, content),))


def states(found: Matching) -> dict[str, State]:
    return {f"{each.layer}/{each.index}": each.state for each in found.weights}


def codes(found: Matching) -> list[str]:
    return [each.code for each in found.diagnostics]


def test_an_om_made_of_the_files_is_equal(files: Files) -> None:
    found = judged(files, compiled(files))
    assert found.equal
    assert found.diagnostics == ()
    assert found.unexplained == ()
    how = {f"{each.layer}/{each.index}": each.how for each in found.weights}
    assert how == {
        "conv/0": "folded",
        "conv/1": "folded",
        "bn/0": "folded into conv",
        "bn/1": "folded into conv",
        "bn/2": "folded into conv",
        "scale/0": "folded into conv",
        "scale/1": "folded into conv",
        "depth/0": "as written",
        "depth/1": "as written",
        "up/0": "as written",
        "fc/0": "as written, transposed",
        "fc/1": "as written",
    }


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda kernels: kernels.swapaxes(0, 1), "inputs and outputs swapped"),
        (lambda kernels: kernels[:, :, ::-1, ::-1], "kernels turned"),
        (lambda kernels: kernels.swapaxes(0, 1)[:, :, ::-1, ::-1], "inputs and outputs swapped, kernels turned"),
    ],
    ids=["swapped", "turned", "both"],
)
def test_kernels_of_transposed_convolutions_may_be_turned(
    files: Files, change: Callable[[Values], Values], how: str
) -> None:
    constants = compiled(files)
    constants["up"]["up_w"] = filters(change(files.numbers["up/0"]))
    found = judged(files, constants)
    assert found.equal
    assert next(each.how for each in found.weights if each.layer == "up") == f"as written, {how}"


def test_layers_that_were_fused_are_found_by_their_names_in_the_operator(files: Files) -> None:
    constants = compiled(files)
    renamed = {"convconv_relu": constants.pop("conv"), **constants}
    found = judged(files, renamed, original={"convconv_relu": ["conv", "relu"]})
    assert found.equal
    assert [each.how for each in found.weights[:2]] == ["folded", "folded"]


def test_each_gear_of_a_dynamic_om_has_its_own_copy(files: Files) -> None:
    gears: Constants = {}
    for gear in range(2):
        for layer, consts in compiled(files).items():
            suffix = f"_ascend_mbatch_batch_{gear}"
            gears[f"{layer}{suffix}"] = {f"{name}{suffix}": const for name, const in consts.items()}
    found = judged(files, gears)
    assert found.equal
    assert not any("by its numbers" in each.how for each in found.weights)
    assert found.unexplained == ()
    gears["fc_ascend_mbatch_batch_1"] = {"fc_b_ascend_mbatch_batch_1": plain(files.numbers["fc/1"] * 2)}
    assert judged(files, gears).unexplained == ("fc_b_ascend_mbatch_batch_1",)


def test_weights_whose_operator_has_another_name_are_found_by_their_numbers(files: Files) -> None:
    constants = compiled(files)
    found = judged(files, {"unknown": constants.pop("depth"), **constants})
    assert found.equal
    assert "found by its numbers" in next(each.how for each in found.weights if each.layer == "depth")


def test_a_compiler_may_leave_batch_norm_as_it_is(files: Files) -> None:
    n = files.numbers
    constants = {**compiled(files), "conv": {"conv_w": filters(n["conv/0"])}}
    constants["bn"] = {"mean": vector(n["bn/0"] / 2), "variance": vector(n["bn/1"] / 2)}
    constants["scale"] = {"scale_w": vector(n["scale/0"]), "scale_b": vector(n["scale/1"])}
    found = judged(files, constants)
    assert found.equal
    assert {each.how for each in found.weights if each.layer == "bn"} == {"mean and variance"}


@pytest.mark.parametrize(
    ("layer", "const"), [("conv", "conv_w"), ("depth", "depth_w"), ("up", "up_w"), ("fc", "fc_w"), ("fc", "fc_b")]
)
def test_one_changed_number_is_found(files: Files, layer: str, const: str) -> None:
    constants = compiled(files)
    whole = constants[layer][const]
    values = np.frombuffer(whole.data, np.float16).copy()
    place = int(np.argmax(np.abs(values)))
    values[place] *= np.float16(1.01)
    constants[layer][const] = replace(whole, data=values.tobytes())
    found = judged(files, constants)
    assert not found.equal
    assert codes(found) == ["O812"]
    (problem,) = found.diagnostics
    assert problem.layer == layer
    assert const in problem.message


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_differ(files: Files, number: float) -> None:
    constants = compiled(files)
    values = np.full(10, number, np.float16)
    constants["fc"]["fc_b"] = replace(constants["fc"]["fc_b"], data=values.tobytes())
    assert codes(judged(files, constants)) == ["O812"]


def test_weights_of_an_older_net_differ(files: Files) -> None:
    older = Files(files.artifact, {name: values * 1.1 for name, values in files.numbers.items()})
    found = judged(files, compiled(older))
    assert set(codes(found)) == {"O812"}
    assert all(each.state is State.DIFFERS for each in found.weights if each.layer in {"depth", "up", "fc"})


def test_what_has_no_counterpart_is_named_not_identified(files: Files) -> None:
    constants = compiled(files)
    del constants["fc"]["fc_b"]
    constants["depth"]["depth_w"] = Const((4,), "ND", 3, data=b"abcd")
    constants["other"] = {"table": plain(np.arange(5))}
    found = judged(files, constants)
    assert not found.equal
    assert codes(found) == ["O813", "O813"]
    assert {name for name, state in states(found).items() if state is State.UNIDENTIFIED} == {"depth/0", "fc/1"}
    assert found.unexplained == ("table",)


@pytest.mark.parametrize(("pack", "how"), [(filters, ""), (lambda values: matrix(values.T), ", transposed")])
def test_the_blocks_of_a_fully_connected_layer_are_known(files: Files, pack: Pack, how: str) -> None:
    blocks = files.numbers["fc/0"].reshape(10, 1, 16, 25).transpose(0, 1, 3, 2).reshape(10, 400)
    constants = compiled(files)
    constants["fc"]["fc_w"] = pack(blocks if how else blocks.reshape(10, 400, 1, 1))
    found = judged(files, constants)
    assert found.equal
    assert next(each.how for each in found.weights if each.layer == "fc") == f"as written, inputs in blocks of 16{how}"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"input": ("y", (1, 3, 8, 8), "NCHW", 1)}, "input x: input 0 of the om is called y"),
        ({"input": ("x", (1, 3, 9, 8), "NCHW", 1)}, "input x: its shape in the om is 1x3x9x8"),
        ({"input": ("x", (1, 3, 8, 8), "NCHW", 7)}, "input x: its numbers in the om are int32"),
        ({"outputs": ["up:0:up"]}, "output fc: output 0 of the om is called up"),
        ({"shapes": [(1, 11)]}, "output fc: its shape in the om is 1x11"),
        (
            {"outputs": ["up:0:up", "fc:0:fc"], "shapes": [(1, 16, 7, 7), (1, 10)]},
            "output fc: it is number 1 in the om, not 0",
        ),
        ({"outputs": [], "shapes": []}, "output fc: the om has only 0 outputs"),
    ],
)
def test_inputs_and_outputs_that_differ_are_told(files: Files, changed: dict[str, Any], said: str) -> None:
    found = judged(files, compiled(files), **changed)
    assert not found.equal
    assert said in [each.message for each in found.diagnostics]
    assert set(codes(found)) == {"O811"}


@pytest.mark.parametrize("given", [("x", (1, 8, 8, 3), "NHWC", 4), ("x", (1, 3, 8, 8), "NCHW", 2)])
def test_a_picture_for_aipp_and_half_precision_are_notes(files: Files, given: tuple[Any, ...]) -> None:
    found = judged(files, compiled(files), input=given)
    assert found.equal
    assert found.ports[0].notes


def test_the_place_in_the_users_code_is_told(files: Files) -> None:
    constants = compiled(files)
    del constants["up"]["up_w"]
    record = next(each for each in files.artifact.manifest.layers if each.name == "up")
    (problem,) = judged(files, constants).diagnostics
    assert problem.origin == record.origin


def test_an_om_without_names_for_its_outputs_has_those_of_its_sources(files: Files) -> None:
    assert judged(files, compiled(files), outputs=[]).equal


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0), *capsys.readouterr()


def test_the_command_shows_what_is_equal(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.om"
    path.write_bytes(compiled_om(compiled(files)))
    code, out, err = run(capsys, "verify", tmp_path, "--om", path)
    assert (code, err) == (0, "")
    assert "net.om for net: holds these files\n" in out
    assert "weights  12 equal\n" in out
    assert "how      4 as written; 2 folded" in out


@pytest.mark.parametrize(
    ("left_out", "equal", "said"), [("", True, "those of the files"), ("fc_b", False, "not all of the files is in it")]
)
def test_what_was_compiled_is_read_back(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str], left_out: str, equal: bool, said: str
) -> None:
    """A stand-in for ATC hands out an om that was made of the files, or one that lacks a bias."""
    constants = compiled(files)
    constants["fc"].pop(left_out, None)
    (tmp_path / "made").write_bytes(compiled_om(constants))
    atc = tmp_path / "atc"
    atc.write_text(
        f'#!/bin/sh\nfor word; do case $word in --output=*) cp "{tmp_path}/made" "${{word#*=}}.om";; esac; done\n'
    )
    atc.chmod(0o755)
    code, out, _ = run(capsys, "compile", tmp_path, "--target", "ascend310", "--tool", atc, "--json")
    assert code == 0
    assert json.loads(out)["holds_the_files"] is equal
    _, out, _ = run(capsys, "compile", tmp_path, "--target", "ascend310", "--tool", atc)
    assert said in out


def test_the_command_tells_machines_what_differs(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constants = compiled(files)
    del constants["fc"]["fc_b"]
    (tmp_path / "net.om").write_bytes(compiled_om(constants, shapes=[(1, 11)]))
    code, out, _ = run(capsys, "verify", tmp_path, "--om", tmp_path / "net.om", "--json")
    found = json.loads(out)
    assert (code, found["equal"]) == (1, False)
    assert [finding["code"] for finding in found["findings"]] == ["O811", "O813"]
    assert [each["state"] for each in found["weights"]].count("equal") == 11
    code, out, _ = run(capsys, "verify", tmp_path, "--om", tmp_path / "net.om")
    assert code == 1
    assert "warning O813 [fc]: weight 1 of InnerProduct was not identified in the om" in out


def test_the_command_needs_no_torch(files: Files, tmp_path: Path) -> None:
    (tmp_path / "net.om").write_bytes(compiled_om(compiled(files)))
    arguments = ["verify", str(tmp_path), "--om", str(tmp_path / "net.om")]
    script = f"import sys; sys.modules['torch'] = None; from torch2om.cli import main; main({arguments!r})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "holds these files" in ran.stdout


def test_options_of_the_other_comparison_are_refused(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "verify", tmp_path, "--om", "net.om", "--model", "m:M")
    assert code == 2
    assert "error U143" in err
