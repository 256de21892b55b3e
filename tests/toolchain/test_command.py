"""Command lines: options to the documented form of atc and omg, word by word."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from torch2om.errors import UsageError
from torch2om.toolchain.command import Names, arguments, completed
from torch2om.toolchain.options import CompileOptions
from torch2om.toolchain.subject import Node, Subject
from torch2om.toolchain.tool import Tool

IMAGE = {"x": (1, 3, 224, 224)}
PAIR = {"x": (1, 3, 224, 224), "y": (1, 8)}
OUT = (Node("prob", 0, "prob"),)
LAYERS = {"x": ("x",), "fc": ("fc.blob",), "prob": ("prob",)}
TWO = (Node("cut", 1, "cut.1"), Node("cut", 0, "cut"))
HEAD = "--model=m.prototxt --weight=m.caffemodel --framework=0 --output=m"
CHIP = f"{HEAD} --soc_version=Ascend310"
SHAPE = "--input_shape=x:1,3,224,224"
END = "--out_nodes=prob:0"
PLAIN = f"{SHAPE} --input_format=NCHW {END}"


def line(tool: Tool, options: CompileOptions, inputs: Mapping[str, tuple[int, ...]], outputs: tuple[Node, ...]) -> str:
    full = completed(options, Subject(tool, inputs, outputs, layers=LAYERS))
    files = {name: f"{name}.cfg" for name, _ in full.files()}
    return " ".join(arguments(full, Names("m.prototxt", "m.caffemodel", "m", files)))


def parsed(text: str, tmp_path: Path) -> CompileOptions:
    """Return the options of a row; FILE stands for a file that exists."""
    file = tmp_path / "file.cfg"
    file.touch()
    words = text.replace("FILE", str(file)).split()
    pairs = [word for word in words if not word.startswith("--")]
    return CompileOptions.parse(pairs, [word for word in words if word.startswith("--")])


ATC = [
    ("", PLAIN),
    ("output_type=FP32", f"{PLAIN} --output_type=FP32"),
    ("output_type=FP16", f"{PLAIN} --output_type=FP16"),
    ("output_type=prob:0:FP16", f"{PLAIN} --output_type=prob:0:FP16"),
    ("out_nodes=prob:0", PLAIN),
    ("out_nodes=prob", f"{SHAPE} --input_format=NCHW --out_nodes=prob"),
    ("input_format=ND", f"{SHAPE} --input_format=ND {END}"),
    ("input_shape=x:1,3,256,320", f"--input_shape=x:1,3,256,320 --input_format=NCHW {END}"),
    ("insert_op_conf=FILE", f"{PLAIN} --insert_op_conf=insert_op_conf.cfg"),
    (
        "insert_op_conf=FILE enable_small_channel=1",
        f"{PLAIN} --insert_op_conf=insert_op_conf.cfg --enable_small_channel=1",
    ),
    ("insert_op_conf=FILE output_type=FP16", f"{PLAIN} --output_type=FP16 --insert_op_conf=insert_op_conf.cfg"),
    ("op_name_map=FILE", f"{PLAIN} --op_name_map=op_name_map.cfg"),
    ("input_fp16_nodes=x", f"{PLAIN} --input_fp16_nodes=x"),
    (
        "input_fp16_nodes=x is_input_adjust_hw_layout=true",
        f"{PLAIN} --input_fp16_nodes=x --is_input_adjust_hw_layout=true",
    ),
    ("is_output_adjust_hw_layout=true", f"{PLAIN} --is_output_adjust_hw_layout=true"),
    (
        "dynamic_batch_size=1,2,4,8",
        f"--input_shape=x:-1,3,224,224 --input_format=NCHW {END} --dynamic_batch_size=1,2,4,8",
    ),
    (
        "dynamic_batch_size=1,8 insert_op_conf=FILE",
        f"--input_shape=x:-1,3,224,224 --input_format=NCHW {END} --insert_op_conf=insert_op_conf.cfg --dynamic_batch_size=1,8",
    ),
    (
        "dynamic_image_size=224,224;448,448",
        f"--input_shape=x:1,3,-1,-1 --input_format=NCHW {END} --dynamic_image_size=224,224;448,448",
    ),
    (
        "dynamic_image_size=416,416;832,832 precision_mode=allow_fp32_to_fp16",
        f"--input_shape=x:1,3,-1,-1 --input_format=NCHW {END} --dynamic_image_size=416,416;832,832 --precision_mode=allow_fp32_to_fp16",
    ),
    (
        "dynamic_dims=4;8;16 input_shape=x:-1,3,224,224",
        f"--input_shape=x:-1,3,224,224 --input_format=ND {END} --dynamic_dims=4;8;16",
    ),
    (
        "dynamic_dims=1,224;2,448 input_shape=x:-1,3,-1,224",
        f"--input_shape=x:-1,3,-1,224 --input_format=ND {END} --dynamic_dims=1,224;2,448",
    ),
    *(
        (f"precision_mode={mode}", f"{PLAIN} --precision_mode={mode}")
        for mode in (
            "force_fp16",
            "force_fp32",
            "cube_fp16in_fp32out",
            "allow_fp32_to_fp16",
            "must_keep_origin_dtype",
            "allow_mix_precision",
            "allow_mix_precision_fp16",
            "allow_mix_precision_bf16",
            "allow_fp32_to_bf16",
        )
    ),
    *(
        (f"precision_mode_v2={mode}", f"{PLAIN} --precision_mode_v2={mode}")
        for mode in (
            "fp16",
            "origin",
            "cube_fp16in_fp32out",
            "mixed_float16",
            "mixed_bfloat16",
        )
    ),
    ("op_select_implmode=high_precision", f"{PLAIN} --op_select_implmode=high_precision"),
    (
        "op_select_implmode=high_precision optypelist_for_implmode=Sigmoid,Softmax",
        f"{PLAIN} --op_select_implmode=high_precision --optypelist_for_implmode=Sigmoid,Softmax",
    ),
    ("op_precision_mode=FILE", f"{PLAIN} --op_precision_mode=op_precision_mode.cfg"),
    ("modify_mixlist=FILE", f"{PLAIN} --modify_mixlist=modify_mixlist.cfg"),
    ("keep_dtype=FILE precision_mode=force_fp16", f"{PLAIN} --precision_mode=force_fp16 --keep_dtype=keep_dtype.cfg"),
    ("customize_dtypes=FILE", f"{PLAIN} --customize_dtypes=customize_dtypes.cfg"),
    ("fusion_switch_file=FILE", f"{PLAIN} --fusion_switch_file=fusion_switch_file.cfg"),
    (
        "fusion_switch_file=FILE precision_mode=must_keep_origin_dtype disable_reuse_memory=1 log=error",
        f"{PLAIN} --precision_mode=must_keep_origin_dtype --fusion_switch_file=fusion_switch_file.cfg --disable_reuse_memory=1 --log=error",
    ),
    ("compress_weight_conf=FILE", f"{PLAIN} --compress_weight_conf=compress_weight_conf.cfg"),
    ("enable_compress_weight=true", f"{PLAIN} --enable_compress_weight=true"),
    ("enable_single_stream=true", f"{PLAIN} --enable_single_stream=true"),
    ("buffer_optimize=l2_optimize", f"{PLAIN} --buffer_optimize=l2_optimize"),
    ("core_type=VectorCore", f"{PLAIN} --core_type=VectorCore"),
    ("--debug_dir=work", f"{PLAIN} --debug_dir=work"),
    ("log=info --op_compiler_cache_mode=enable", f"{PLAIN} --log=info --op_compiler_cache_mode=enable"),
    ("--precision-mode=force_fp16".removeprefix("--"), f"{PLAIN} --precision_mode=force_fp16"),
]
OMG = [
    ("", f"{SHAPE} {END}"),
    ("insert_op_conf=FILE", f"{SHAPE} {END} --insert_op_conf=insert_op_conf.cfg"),
    ("input_format=NCHW", f"{SHAPE} --input_format=NCHW {END}"),
    ("output_type=FP32", f"{SHAPE} {END} --output_type=FP32"),
    ("is_output_fp16=true", f"{SHAPE} {END} --is_output_fp16=true"),
    ("net_format=ND", f"{SHAPE} {END} --net_format=ND"),
    ("fp16_high_prec=1", f"{SHAPE} {END} --fp16_high_prec=1"),
    (
        "ddk_version=1.31.T10.B100 --plugin_path=plugin",
        f"{SHAPE} {END} --ddk_version=1.31.T10.B100 --plugin_path=plugin",
    ),
    ("op_name_map=FILE", f"{SHAPE} {END} --op_name_map=op_name_map.cfg"),
]


@pytest.mark.parametrize(("given", "wanted"), ATC)
def test_an_atc_command_line_has_the_documented_form(given: str, wanted: str, tmp_path: Path) -> None:
    options = parsed(f"{given} soc_version=Ascend310", tmp_path)
    assert line("atc", options, IMAGE, OUT) == f"{CHIP} {wanted}"


@pytest.mark.parametrize(("given", "wanted"), OMG)
def test_an_omg_command_line_has_the_documented_form(given: str, wanted: str, tmp_path: Path) -> None:
    assert line("omg", parsed(given, tmp_path), IMAGE, OUT) == f"{HEAD} {wanted}"


def test_several_inputs_and_outputs_keep_their_order() -> None:
    options = CompileOptions(soc_version="Ascend310")
    shapes = "--input_shape=x:1,3,224,224;y:1,8 --input_format=ND"
    assert line("atc", options, PAIR, TWO) == f"{CHIP} {shapes} --out_nodes=cut:1;cut:0"


WRONG = [
    ("atc", "dynamic_batch_size=1,2 dynamic_image_size=1,2;3,4", "exclude each other"),
    ("atc", "dynamic_batch_size=1,2 dynamic_dims=1;2 input_shape=x:-1,3,224,224", "exclude each other"),
    ("atc", "precision_mode=force_fp16 precision_mode_v2=fp16", "exclude each other"),
    ("atc", "compress_weight_conf=FILE enable_compress_weight=true", "exclude each other"),
    ("atc", "insert_op_conf=FILE dynamic_dims=1;2 input_shape=x:-1,3,224,224", "exclude each other"),
    ("atc", "output_type=FP16 is_output_adjust_hw_layout=true", "exclude each other"),
    ("atc", "is_input_adjust_hw_layout=true", "needs --input_fp16_nodes"),
    ("atc", "optypelist_for_implmode=Softmax", "needs --op_select_implmode"),
    ("atc", "input_shape=z:1,3,224,224", "the net has no input 'z'"),
    ("atc", "input_shape=x:1,3,224", "gives x 3 dims"),
    ("atc", "input_shape=x:1,3,-1,224", "no gears are given"),
    ("atc", "input_fp16_nodes=z", "the net has no input 'z'"),
    ("atc", "out_nodes=nope:0", "the net has no output 'nope:0', nor a layer 'nope' (E11017)"),
    ("atc", "out_nodes=nope", "the net has no output 'nope' (E11017)"),
    ("atc", "out_nodes=prob:1", "the net has no output 'prob:1': an index of prob is below 1 (E11016)"),
    ("atc", "out_nodes=fc:0", "'fc:0' is inside the net; its outputs are prob:0"),
    ("atc", "out_nodes=fc.blob", "'fc.blob' is inside the net; its outputs are prob:0"),
    ("atc", "out_nodes=prob:0;prob", "mixes LAYER:INDEX with tops"),
    ("atc", "output_type=nope:0:FP16", "names 'nope:0'"),
    ("atc", "is_output_adjust_hw_layout=true,false", "has 2 values, and 1 are wanted"),
    ("atc", "input_fp16_nodes=x is_input_adjust_hw_layout=true,true", "has 2 values, and 1 are wanted"),
    ("atc", "insert_op_conf=FILE input_format=ND", "must be NCHW, not ND"),
    ("atc", "insert_op_conf=FILE input_fp16_nodes=x", "E10034"),
    ("atc", "keep_dtype=FILE precision_mode_v2=origin", "--keep_dtype has nothing to keep"),
    ("atc", "dynamic_batch_size=4", "has 1 gears; 2 to 100"),
    ("atc", "dynamic_batch_size=4,4", "names a gear twice"),
    ("atc", "dynamic_batch_size=1,2 input_shape=x:1,3,224,224", "has no -1 in --input_shape"),
    ("atc", "dynamic_batch_size=1,2 input_shape=x:-1,3,-1,224", "the first dim alone"),
    ("atc", "dynamic_image_size=1,2,3;4,5,6", "wants H,W in each gear"),
    ("atc", "dynamic_image_size=1,2;3,4 input_format=ND", "wants --input_format=NCHW"),
    ("atc", "dynamic_image_size=1,2;3,4 input_shape=x:-1,3,224,224", "decides height and width"),
    ("atc", "dynamic_dims=1;2", "--dynamic_dims needs --input_shape"),
    ("atc", "dynamic_dims=1,2;3,4 input_shape=x:-1,3,224,224", "2 values in 1,2, --input_shape 1 times -1"),
    ("atc", "dynamic_dims=1;2 input_shape=x:-1,3,224,224 input_format=NCHW", "wants --input_format=ND"),
    ("atc", "precision_mode=fast", "'fast' is not one of force_fp16"),
    ("atc", "dynamic_batch_size=one", "is not positive numbers"),
    ("atc", "fusion_switch_file=missing.cfg", "there is no file missing.cfg"),
    ("atc", "fp16_high_prec=1", "atc has no option --fp16_high_prec"),
    ("omg", "soc_version=Ascend310", "omg has no option --soc_version"),
    ("omg", "precision_mode=force_fp16", "omg has no option --precision_mode"),
    ("omg", "dynamic_batch_size=1,2", "omg has no option --dynamic_batch_size"),
    ("omg", "output_type=FP16", "'FP16' is not one of FP32, UINT8"),
    ("omg", "input_shape=x:-1,3,224,224", "omg takes fixed shapes only"),
]


@pytest.mark.parametrize(("tool", "given", "said"), WRONG)
def test_options_that_cannot_be_are_refused_before_a_compiler_runs(
    tool: Tool, given: str, said: str, tmp_path: Path
) -> None:
    chip = " soc_version=Ascend310" if tool == "atc" else ""
    with pytest.raises(UsageError) as refusal:
        line(tool, parsed(given + chip, tmp_path), IMAGE, OUT)
    assert said in str(refusal.value)


def test_atc_needs_a_chip() -> None:
    with pytest.raises(UsageError, match="atc needs --soc_version"):
        line("atc", CompileOptions(), IMAGE, OUT)


def test_omg_takes_up_to_four_dims() -> None:
    with pytest.raises(UsageError, match="up to 4 dims"):
        line("omg", CompileOptions(), {"x": (1, 1, 1, 1, 1)}, OUT)


def test_all_contradictions_are_told_at_once(tmp_path: Path) -> None:
    options = parsed("soc_version=Ascend310 precision_mode=force_fp16 precision_mode_v2=fp16 out_nodes=a:0", tmp_path)
    with pytest.raises(UsageError) as refusal:
        line("atc", options, IMAGE, OUT)
    assert len(refusal.value.diagnostics) == 2


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("precision_mod=fp16", "did you mean precision_mode"),
        ("frobnicate=1", "--extra=--frobnicate=1"),
        ("model=x", "is what torch2om says itself"),
        ("precision_mode", "is not NAME=VALUE"),
    ],
)
def test_an_option_that_is_none_is_refused_with_the_way_out(pair: str, said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        CompileOptions.parse([pair])
    assert said in str(refusal.value)


@pytest.mark.parametrize("argument", ["debug_dir=x", "--output=elsewhere", "--precision_mode=fp16", "--"])
def test_an_extra_may_not_hold_what_is_checked_or_said_already(argument: str) -> None:
    with pytest.raises(UsageError):
        CompileOptions.parse([], [argument])


@pytest.mark.parametrize(
    ("aipp", "given", "said"),
    [
        ("aipp_op { aipp_mode: dynamic }", "enable_small_channel=1", "wants static AIPP"),
        ("crop: true", "dynamic_image_size=1,2;3,4", "without crop and padding"),
        ("src_image_size_w: 224", "dynamic_image_size=1,2;3,4", "without src_image_size"),
    ],
)
def test_the_aipp_file_must_agree(aipp: str, given: str, said: str, tmp_path: Path) -> None:
    options = parsed(f"{given} soc_version=Ascend310 insert_op_conf=FILE", tmp_path)
    with pytest.raises(UsageError, match=said):
        completed(options, Subject("atc", IMAGE, OUT, aipp))
    completed(options, Subject("atc", IMAGE, OUT, f"# {aipp}"))
