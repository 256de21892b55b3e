"""insert_op_conf files: protobuf's text format of `domi.InsertNewOps`, read as ATC's parser reads it, and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from torch2om.caffe.fields.notation import Table, table
from torch2om.caffe.text_reader import read_text
from torch2om.caffe.tokens import Kind, SyntaxProblem, Tokens, decode_text
from torch2om.errors import Diagnostic, PreprocessingError, Problems, UsageError
from torch2om.preprocessing.config import DEFAULTS, AippConfig, InputFormat, Mode, spelling
from torch2om.preprocessing.limits import PROTO, Breach, breaches

LARGEST = 1 << 16  # characters; an aipp_op with every field has 2000, and a net has few inputs
MOST_INPUTS = 64  # more blocks than any net has inputs

_TABLE: Table = table(
    {
        "InsertNewOps": "1 aipp_op AippOpParams*",
        "AippOpParams": "1 aipp_mode .AippMode, 2 related_input_rank uint32, 3 input_edge_idx uint32*, "
        "4 max_src_image_size uint32, 5 support_rotation bool, 6 related_input_name string, "
        "10 mean_chn_0 int32, 11 mean_chn_1 int32, 12 mean_chn_2 int32, 19 mean_chn_3 int32, "
        "13 min_chn_0 float, 14 min_chn_1 float, 15 min_chn_2 float, 20 min_chn_3 float, "
        "16 var_reci_chn_0 float*, 17 var_reci_chn_1 float*, 18 var_reci_chn_2 float*, 21 var_reci_chn_3 float*, "
        "30 matrix_r0c0 int32*, 31 matrix_r0c1 int32*, 32 matrix_r0c2 int32*, "
        "33 matrix_r1c0 int32*, 34 matrix_r1c1 int32*, 35 matrix_r1c2 int32*, "
        "36 matrix_r2c0 int32*, 37 matrix_r2c1 int32*, 38 matrix_r2c2 int32*, "
        "39 output_bias_0 int32*, 40 output_bias_1 int32*, 41 output_bias_2 int32*, "
        "42 input_bias_0 int32*, 43 input_bias_1 int32*, 44 input_bias_2 int32*, "
        "45 raw_rgbir_to_f16_n uint32, 51 input_format .InputFormat, 52 csc_switch bool, 53 cpadding_value float, "
        "54 rbuv_swap_switch bool, 55 ax_swap_switch bool, 56 single_line_mode bool, "
        "57 src_image_size_w int32, 58 src_image_size_h int32, 59 crop bool, "
        "60 load_start_pos_w int32, 61 load_start_pos_h int32, 62 crop_size_w int32, 63 crop_size_h int32, "
        "64 resize bool, 65 resize_output_w int32, 66 resize_output_h int32, 67 padding bool, "
        "68 left_padding_size int32, 69 right_padding_size int32, "
        "70 top_padding_size int32, 71 bottom_padding_size int32, 72 padding_value float",
    },
    {
        "AippOpParams.AippMode": "0 undefined, 1 static, 2 dynamic",
        "AippOpParams.InputFormat": "0 UNDEFINED, 1 YUV420SP_U8, 2 XRGB8888_U8, 3 RGB888_U8, 4 YUV400_U8, "
        "5 NC1HWC0DI_FP16, 6 NC1HWC0DI_S8, 7 ARGB8888_U8, 8 YUYV_U8, 9 YUV422SP_U8, 10 AYUV444_U8, "
        "11 RAW10, 12 RAW12, 13 RAW16, 14 RAW24, 15 RGB16, 16 RGB20, 17 RGB24, 18 RGB8_IR, 19 RGB16_IR, 20 RGB24_IR",
    },
)
_FIELDS = _TABLE.messages["AippOpParams"]
_FILLING = {"var_reci_chn": 1.0}  # what a channel has that stands between given ones; 0 for every other series

Places = Mapping[str, tuple[int, int]]  # field of the proto -> line and column of its first mention


class _Record:
    """A message under construction: a field not given is None, a repeated one a list."""

    def __init__(self, owner: str) -> None:
        for field in _TABLE.messages[owner].values():
            many: list[Any] | None = _Records(field.type) if field.type in _TABLE.messages else []
            setattr(self, field.name, many if field.many else None)

    def HasField(self, field_name: str) -> bool:  # noqa: N802 - protobuf's own name
        return getattr(self, field_name) is not None

    def SetInParent(self) -> None:  # noqa: N802 - protobuf's own name; no message here is optional
        return


class _Records(list[_Record]):
    """A repeated message."""

    def __init__(self, owner: str) -> None:
        super().__init__()
        self._owner = owner

    def add(self) -> _Record:
        self.append(_Record(self._owner))
        return self[-1]


def read_aipp_file(path: Path) -> tuple[AippConfig, ...]:
    """Return the configurations of a file, one per input; raises `UsageError` (U133) and what `read_aipp` does."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error
    return read_aipp(decode_text(data), str(path))


def read_aipp(text: str, file: str = "aipp.cfg") -> tuple[AippConfig, ...]:
    """Return the configurations in an insert_op_conf text, one per `aipp_op`, each within every limit of ATC.

    Raises `PreprocessingError`: P801 for a text that ATC's parser refuses, P802 and P803 for everything that breaks a
    limit, each with its line and column.
    """
    if len(text) > LARGEST:
        raise PreprocessingError(Diagnostic("P801", f"{file} is larger than {LARGEST} characters"))
    message = _Record("InsertNewOps")
    try:
        read_text(text, _TABLE, message, refuse_unknown=True, owner="InsertNewOps")
    except SyntaxProblem as problem:
        raise PreprocessingError(Diagnostic("P801", f"{file}:{problem}", source=PROTO)) from problem
    records: Sequence[_Record] = message.__dict__["aipp_op"]
    if not 0 < len(records) <= MOST_INPUTS:
        amount = "no aipp_op" if not records else f"{len(records)} aipp_op, one for each input of a net"
        raise PreprocessingError(Diagnostic("P801", f"{file} has {amount}", source=PROTO))
    configs = []
    found: list[Diagnostic] = []
    for record, places in zip(records, _places(text), strict=True):
        held = vars(record)
        configs.append(AippConfig(**{name: _value(name, held) for name in DEFAULTS}))
        broken = (*_ill_given(held), *breaches(configs[-1]))
        found += [breach.diagnostic(_place(file, breach, places)) for breach in broken]
    Problems(found).raise_as(PreprocessingError)
    return tuple(configs)


def _place(file: str, breach: Breach, places: Places) -> str:
    line, column = places.get(breach.field, places["aipp_op"])
    return f"{file}:{line}:{column}: "


def _places(text: str) -> Iterator[Places]:
    """Yield the places of each aipp_op's fields, its own being its bracket. The text was read: its brackets match."""
    tokens = Tokens(text)
    places: dict[str, tuple[int, int]] = {}
    while not tokens.at(Kind.END):
        token = tokens.take()
        if token.text in ("{", "<"):
            places = {"aipp_op": tokens.place(token.offset)}
        elif token.kind is Kind.WORD:
            places.setdefault(token.text, tokens.place(token.offset))
        elif token.text in ("}", ">"):
            yield places


def _ill_given(held: Mapping[str, Any]) -> Iterator[Breach]:  # Any: a field's value, of whatever type
    """Yield what an AippConfig has no place for: a series' number given twice, names that no manual explains."""
    for name, value in held.items():
        if isinstance(value, list) and len(value) > 1 and name != "input_edge_idx":
            yield Breach(name, "P803", f"{name} is given {len(value)} times; it takes one number", PROTO)
    if not held["aipp_mode"]:
        yield Breach("aipp_mode", "P803", "aipp_mode is static or dynamic, and must be given", PROTO)
    layout = enumerator("AippOpParams.InputFormat", held["input_format"])
    if layout not in (None, "UNDEFINED", *InputFormat):
        text = f"input_format {layout} is not documented: {', '.join(InputFormat)} are"
        yield Breach("input_format", "P803", text, PROTO)


def enumerator(kind: str, number: int | None) -> str | None:
    """Return the name of a number of one of the proto's enumerations (`AippOpParams.InputFormat`); None without one."""
    return next((name for name, value in _TABLE.enums[kind].items() if value == number), None)


def _value(name: str, held: Mapping[str, Any]) -> Any:  # Any: a field's value, of whatever type
    """Return the value of a field of AippConfig; what is not given, or was reported, has its default."""
    match name:
        case "aipp_mode":
            return Mode.DYNAMIC if held[name] == _TABLE.enums["AippOpParams.AippMode"]["dynamic"] else Mode.STATIC
        case "input_format":
            given = enumerator("AippOpParams.InputFormat", held[name])
            return InputFormat(given) if given in list(InputFormat) else None
        case "input_edge_idx":
            return tuple(held[name])
    parts = spelling(name)
    if parts == (name,):
        return DEFAULTS[name] if held[name] is None else held[name]
    given_numbers = [held[part][:1] if isinstance(held[part], list) else _listed(held[part]) for part in parts]
    return _series(given_numbers, name)


def _listed(value: object) -> list[object]:
    return [] if value is None else [value]


def _series(given: list[list[object]], name: str) -> tuple[object, ...]:
    """Return the numbers of a series: channels up to the last one given, matrices and biases in full or not at all."""
    last = max((index for index, numbers in enumerate(given) if numbers), default=-1)
    length = last + 1 if name.endswith("_chn") else len(given) * (last >= 0)
    return tuple(given[index][0] if given[index] else _FILLING.get(name, 0) for index in range(length))


def write_aipp(configs: Iterable[AippConfig], remarks: Iterable[str] = ()) -> str:
    """Return the text of an insert_op_conf file; `remarks` stand above as comments."""
    lines = [f"# {remark}" for remark in remarks]
    for config in configs:
        lines += ["aipp_op {", *(f"    {line}" for line in _lines(config)), "}"]
    return "\n".join(lines) + "\n"


_ALWAYS = {  # written even where they have their default
    Mode.STATIC: ("aipp_mode", "input_format", "csc_switch", "rbuv_swap_switch"),
    Mode.DYNAMIC: ("aipp_mode",),
}


def _lines(config: AippConfig) -> Iterator[str]:
    for field in fields(AippConfig):
        value = getattr(config, field.name)
        assert field.default is not MISSING
        if value is None or (value == field.default and field.name not in _ALWAYS[config.aipp_mode]):
            continue
        numbers = value if isinstance(value, tuple) else (value,)
        names = spelling(field.name) if len(spelling(field.name)) > 1 else (field.name,) * len(numbers)
        yield from (f"{name}: {_spelled(number)}" for name, number in zip(names, numbers, strict=False))


def _spelled(value: object) -> str:
    """Return a value as the text format has it; a float with the fewest digits that name its float32."""
    match value:
        case Mode() | InputFormat():
            return value.value
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + "".join(_escaped(byte) for byte in value.encode()) + '"'
        case float():
            return str(np.float32(value))
    return str(value)


def _escaped(byte: int) -> str:
    plain = 32 <= byte < 127 and chr(byte) not in '"\\'
    return chr(byte) if plain else f"\\{byte:03o}"
