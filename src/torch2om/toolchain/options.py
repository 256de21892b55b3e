"""The compilers' options: which compiler takes which, with which values, under the vendor's own names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch2om.errors import Diagnostic, Problems, UsageError
from torch2om.toolchain.kinds import (
    FILE,
    GEARS,
    NAMES,
    NODES,
    NUMBERS,
    OUTPUT_TYPE,
    SHAPES,
    SWITCH,
    TRUTH,
    TRUTHS,
    WORD,
    WORDS,
    ExistingFile,
    Kind,
    one_of,
)
from torch2om.toolchain.tool import TOOLS, Tool

MANUAL = "GE docs/zh/user_guides/atc_tools (ATC manual)"

# What torch2om itself says to the compiler; `external_weight` would leave files beside the om.
OWN = ("mode", "framework", "model", "weight", "output", "om", "json", "external_weight", "help")


def _option(*, atc: Kind | None = None, omg: Kind | None = None) -> Any:  # Any: dataclasses.field's own type
    """Declare an option: the values that each compiler takes for it, None where a compiler has no such option."""
    return field(default="", metadata={"atc": atc, "omg": omg})


@dataclass(frozen=True)
class CompileOptions:
    """What the user asks of the compiler; a field is the vendor's option of that name, empty where it is not given.

    `extra` are further arguments, passed on as they are.
    """

    soc_version: str = _option(atc=WORD)
    input_shape: str = _option(atc=SHAPES, omg=SHAPES)
    input_format: str = _option(atc=one_of("NCHW", "ND"), omg=one_of("NCHW"))
    out_nodes: str = _option(atc=NODES, omg=NODES)
    output_type: str = _option(atc=OUTPUT_TYPE, omg=one_of("FP32", "UINT8"))
    insert_op_conf: str = _option(atc=FILE, omg=FILE)
    op_name_map: str = _option(atc=FILE, omg=FILE)
    input_fp16_nodes: str = _option(atc=NAMES, omg=NAMES)
    is_input_adjust_hw_layout: str = _option(atc=TRUTHS)
    is_output_adjust_hw_layout: str = _option(atc=TRUTHS)
    dynamic_batch_size: str = _option(atc=NUMBERS)
    dynamic_image_size: str = _option(atc=GEARS)
    dynamic_dims: str = _option(atc=GEARS)
    precision_mode: str = _option(
        atc=one_of(
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
    )
    precision_mode_v2: str = _option(
        atc=one_of(
            "fp16", "origin", "cube_fp16in_fp32out", "mixed_float16", "mixed_bfloat16", "mixed_hif8", "cube_hif8"
        )
    )
    op_select_implmode: str = _option(
        atc=one_of("high_performance", "high_precision", "high_performance_for_all", "high_precision_for_all")
    )
    optypelist_for_implmode: str = _option(atc=WORDS)
    op_precision_mode: str = _option(atc=FILE)
    modify_mixlist: str = _option(atc=FILE)
    keep_dtype: str = _option(atc=FILE)
    customize_dtypes: str = _option(atc=FILE)
    fusion_switch_file: str = _option(atc=FILE)
    compress_weight_conf: str = _option(atc=FILE)
    enable_compress_weight: str = _option(atc=TRUTH)
    enable_small_channel: str = _option(atc=SWITCH)
    disable_reuse_memory: str = _option(atc=SWITCH)
    enable_single_stream: str = _option(atc=TRUTH)
    core_type: str = _option(atc=one_of("AiCore", "VectorCore"))
    buffer_optimize: str = _option(atc=one_of("l2_optimize", "off_optimize"))
    op_debug_level: str = _option(atc=one_of("0", "1", "2", "3", "4"))
    virtual_type: str = _option(atc=SWITCH)
    deterministic: str = _option(atc=SWITCH)
    log: str = _option(atc=one_of("debug", "info", "warning", "error", "null"))
    ddk_version: str = _option(omg=WORD)
    net_format: str = _option(omg=one_of("ND", "5D"))
    fp16_high_prec: str = _option(omg=SWITCH)
    is_output_fp16: str = _option(omg=TRUTHS)
    extra: tuple[str, ...] = ()

    @classmethod
    def parse(cls, pairs: Iterable[str], extra: Iterable[str] = ()) -> CompileOptions:
        """Return the options that `NAME=VALUE` texts give, and arguments to pass on as they are.

        Raises `UsageError` (K911) with every text that names no option, or an option of torch2om's own.
        """
        problems = Problems()
        given: dict[str, str] = {}
        for pair in pairs:
            name, sign, value = pair.partition("=")
            name = name.lstrip("-").replace("-", "_")
            if wrong := _pair_problem(name, sign, value, given):
                problems.add(wrong)
            given[name] = value
        passed = tuple(extra)
        for argument in passed:
            if wrong := _extra_problem(argument):
                problems.add(wrong)
        problems.raise_as(UsageError)
        return cls(**given, extra=passed)

    def given(self) -> Iterator[tuple[str, str]]:
        """Yield name and value of the options that are given, in the order of the fields."""
        yield from ((name, getattr(self, name)) for name in SPECS if getattr(self, name))

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the options whose value is a file, with the file."""
        yield from ((name, Path(value)) for name, value in self.given() if is_file(name))

    def with_default(self, name: str, value: str) -> CompileOptions:
        """Return the options, with a value for one that is not given."""
        return self if getattr(self, name) else replace(self, **{name: value})  # type: ignore[arg-type]  # a str field

    def problems(self, tool: Tool) -> Iterator[Diagnostic]:
        """Yield what is wrong with single options: values, and options that this compiler does not have (K911)."""
        for name, value in self.given():
            kind = SPECS[name][tool]
            if kind is None:
                hint = COUNTERPARTS.get((tool, name), f"leave it out: it is an option of {_other(tool)}")
                yield Diagnostic("K911", f"{tool} has no option --{name}", hint=hint, source=MANUAL)
            elif wrong := kind.problem(value):
                yield Diagnostic("K911", f"--{name}: {wrong}", hint=f"give {kind.sentence}", source=MANUAL)


SPECS: dict[str, dict[Tool, Kind | None]] = {
    item.name: {tool: item.metadata[tool] for tool in TOOLS} for item in fields(CompileOptions) if item.metadata
}

# What the other compiler calls the same thing (atc, omg of the DDK).
COUNTERPARTS: dict[tuple[Tool, str], str] = {
    ("omg", "soc_version"): "leave it out: omg compiles for the chip of its DDK",
    ("omg", "precision_mode"): "omg has fp16_high_prec=1",
    ("omg", "op_select_implmode"): "omg has fp16_high_prec=1",
    ("omg", "is_output_adjust_hw_layout"): "omg has is_output_fp16",
    ("atc", "fp16_high_prec"): "atc has op_select_implmode=high_precision",
    ("atc", "is_output_fp16"): "atc has is_output_adjust_hw_layout",
    ("atc", "net_format"): "leave it out: atc chooses the format itself",
    ("atc", "ddk_version"): "leave it out: atc has soc_version",
}


def is_file(name: str) -> bool:
    """Whether the option's value is a file."""
    return any(isinstance(kind, ExistingFile) for kind in SPECS[name].values())


def _other(tool: Tool) -> Tool:
    return "omg" if tool == "atc" else "atc"


def _pair_problem(name: str, sign: str, value: str, given: dict[str, str]) -> Diagnostic | None:
    if not (name and sign and value):
        return Diagnostic(
            "K911", f"option {name + sign + value!r} is not NAME=VALUE", hint="as precision_mode=force_fp16"
        )
    if name in OWN:
        return Diagnostic("K911", f"--{name} is what torch2om says itself", hint="leave it out")
    if name not in SPECS:
        close = get_close_matches(name, SPECS, n=2)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        text = f"torch2om knows no compiler option {name!r}"
        return Diagnostic("K911", text, hint=f"{hint}Pass it on unchecked with --extra=--{name}={value}")
    if name in given:
        return Diagnostic("K911", f"option {name} is given twice", hint="give it once")
    return None


def _extra_problem(argument: str) -> Diagnostic | None:
    name = argument.partition("=")[0].lstrip("-").replace("-", "_")
    if not argument.startswith("--") or not name:
        return Diagnostic("K911", f"{argument!r} is no option of a compiler", hint="as --extra=--debug_dir=work")
    if name in OWN or name in SPECS:
        hint = "leave it out" if name in OWN else f"give it as --option {name}=VALUE, so that it is checked"
        return Diagnostic("K911", f"--extra may not hold --{name}", hint=hint)
    return None
