"""The interplay of options: what must not stand together, and what must agree with the net.

Each rule yields its complaints; all are collected before a compiler runs, so that one run shows everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch2om.errors import Diagnostic
from torch2om.toolchain.gears import GEAR_RULES
from torch2om.toolchain.options import MANUAL, CompileOptions
from torch2om.toolchain.subject import Subject, given_shapes

Rule = Callable[[CompileOptions, Subject], Iterator[str]]

# Of each group at most one option may be given.
EXCLUSIVE = (
    ("dynamic_batch_size", "dynamic_image_size", "dynamic_dims"),
    ("precision_mode", "precision_mode_v2"),
    ("compress_weight_conf", "enable_compress_weight"),
    ("insert_op_conf", "dynamic_dims"),
    ("output_type", "is_output_adjust_hw_layout"),
)
# The first means nothing without the second.
NEEDS = (
    ("is_input_adjust_hw_layout", "input_fp16_nodes"),
    ("optypelist_for_implmode", "op_select_implmode"),
)


def contradictions(options: CompileOptions, subject: Subject) -> Iterator[Diagnostic]:
    """Yield what is wrong with the options together, and with the net (K912)."""
    for rule in (*RULES, *GEAR_RULES):
        yield from (Diagnostic("K912", text, source=MANUAL) for text in rule(options, subject))


def _exclusive(options: CompileOptions, _: Subject) -> Iterator[str]:
    for group in EXCLUSIVE:
        given = [f"--{name}" for name in group if getattr(options, name)]
        if len(given) > 1:
            yield f"{' and '.join(given)} exclude each other"


def _needed(options: CompileOptions, _: Subject) -> Iterator[str]:
    for name, needed in NEEDS:
        if getattr(options, name) and not getattr(options, needed):
            yield f"--{name} needs --{needed}"


def _has_chip(options: CompileOptions, subject: Subject) -> Iterator[str]:
    if subject.tool == "atc" and not options.soc_version:
        yield "atc needs --soc_version: name the chip, as npu-smi info shows it with Ascend before it"


def _inputs_exist(options: CompileOptions, subject: Subject) -> Iterator[str]:
    wanted = given_shapes(options.input_shape)
    for name in [*wanted, *filter(None, options.input_fp16_nodes.split(";"))]:
        if name not in subject.inputs:
            yield f"the net has no input {name!r}; its inputs are {', '.join(subject.inputs)}"
    for name, shape in subject.inputs.items():
        if name in wanted and len(wanted[name]) != len(shape):
            yield f"--input_shape gives {name} {len(wanted[name])} dims, the net has {len(shape)}"
        if wanted and name not in wanted:
            yield f"--input_shape does not name the input {name}"


def _outputs_exist(options: CompileOptions, subject: Subject) -> Iterator[str]:
    known = {str(node) for node in subject.outputs} | {node.blob for node in subject.outputs}
    nodes = [node for node in options.out_nodes.split(";") if node]
    for node in nodes:
        if node not in known:
            yield f"{_why_no_output(node, subject)}; its outputs are {subject.out_nodes}"
    if len({":" in node for node in nodes}) > 1:
        yield "--out_nodes mixes LAYER:INDEX with tops"


def _why_no_output(node: str, subject: Subject) -> str:
    """Say what is wrong with a node of --out_nodes, with the code that ATC prints (GE caffe_parser.cc:654-1119)."""
    layer, sign, index = node.rpartition(":")
    if not sign:
        tops = {top for tops in subject.layers.values() for top in tops}
        return f"{node!r} is inside the net" if node in tops else f"the net has no output {node!r} (E11017)"
    made = subject.layers.get(layer)
    if made is None:
        return f"the net has no output {node!r}, nor a layer {layer!r} (E11017)"
    if int(index) >= len(made):
        return f"the net has no output {node!r}: an index of {layer} is below {len(made)} (E11016)"
    return f"{node!r} is inside the net"


def _types_name_outputs(options: CompileOptions, subject: Subject) -> Iterator[str]:
    if ":" not in options.output_type:
        return
    nodes = (options.out_nodes or subject.out_nodes).split(";")
    for entry in options.output_type.split(";"):
        node = entry.rpartition(":")[0]
        if node not in nodes:
            yield f"--output_type names {node!r}, which --out_nodes does not ({';'.join(nodes)})"


def _one_flag_each(options: CompileOptions, subject: Subject) -> Iterator[str]:
    outputs = len((options.out_nodes or subject.out_nodes).split(";"))
    inputs = len(options.input_fp16_nodes.split(";"))
    wanted = {"is_output_adjust_hw_layout": outputs, "is_output_fp16": outputs, "is_input_adjust_hw_layout": inputs}
    for name, count in wanted.items():
        flags = getattr(options, name)
        if flags and len(flags.split(",")) != count:
            yield f"--{name} has {len(flags.split(','))} values, and {count} are wanted"


def _image_format(options: CompileOptions, subject: Subject) -> Iterator[str]:
    if options.insert_op_conf and options.input_format == "ND":
        yield "--insert_op_conf wants images: --input_format must be NCHW, not ND"
    if options.input_format == "NCHW":
        flat = [name for name, shape in subject.inputs.items() if len(shape) != 4]
        yield from (f"--input_format={options.input_format} wants 4 dims, the input {name} has others" for name in flat)


def _bytes_or_halves(options: CompileOptions, subject: Subject) -> Iterator[str]:
    halves = set(filter(None, options.input_fp16_nodes.split(";")))
    if options.insert_op_conf and halves >= set(subject.inputs):
        yield "--insert_op_conf makes an input uint8, --input_fp16_nodes the same input fp16 (E10034)"


def _small_channel_is_static(options: CompileOptions, subject: Subject) -> Iterator[str]:
    if options.enable_small_channel == "1" and subject.aipp_says("aipp_mode", "dynamic"):
        yield "--enable_small_channel=1 wants static AIPP"


def _keeps_a_type(options: CompileOptions, _: Subject) -> Iterator[str]:
    if options.keep_dtype and (
        options.precision_mode == "must_keep_origin_dtype" or options.precision_mode_v2 == "origin"
    ):
        yield "--keep_dtype has nothing to keep where every op keeps its type"


def _omg_shapes(options: CompileOptions, subject: Subject) -> Iterator[str]:
    if subject.tool == "atc":
        return
    for name, shape in subject.inputs.items():
        if len(shape) > 4:
            yield f"omg takes tensors of up to 4 dims, the input {name} has {len(shape)}"
    for name, dims in given_shapes(options.input_shape).items():
        if not all(dim.isdigit() for dim in dims):
            yield f"omg takes fixed shapes only, --input_shape gives {name} {','.join(dims)}"


RULES: tuple[Rule, ...] = (
    _exclusive,
    _needed,
    _has_chip,
    _inputs_exist,
    _outputs_exist,
    _types_name_outputs,
    _one_flag_each,
    _image_format,
    _bytes_or_halves,
    _small_channel_is_static,
    _keeps_a_type,
    _omg_shapes,
)
