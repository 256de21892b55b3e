"""What ATC accepts in an aipp_op, as data with sources: the range of each field, and which fields exclude others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch2om.errors import Diagnostic, PreprocessingError, Problems, Severity
from torch2om.preprocessing.config import AippConfig, InputFormat, Mode, spelling

PROTO = "GE graph_metadef/proto/insert_op.proto"
MANUAL = "ATC manual, AIPP configuration file template"
HALF = 65504.0  # the largest finite float16


@dataclass(frozen=True, slots=True)
class Range:
    """`low <= value <= high`, for each number that the field holds."""

    low: float
    high: float
    source: str = MANUAL


@dataclass(frozen=True, slots=True)
class Law:
    """What must hold between fields: the first field concerned, the sentence, the test, and who says so."""

    field: str
    sentence: str
    holds: Callable[[AippConfig], bool]
    source: str = MANUAL
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a configuration breaks: at which of the proto's fields, how, and who says so."""

    field: str
    code: str
    text: str
    source: str
    severity: Severity = Severity.ERROR

    def diagnostic(self, place: str = "") -> Diagnostic:
        """Return the breach as a diagnostic; `place` is `file:line:column: ` where it is known."""
        return Diagnostic(self.code, place + self.text, source=self.source, severity=self.severity)


_SIDE = Range(0, 4096)
_POSITION = Range(0, 4095)
_BYTE = Range(0, 255)
_HALF = Range(-HALF, HALF)
_PAD = Range(0, 32)

RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "src_image_size_w": _SIDE,
        "src_image_size_h": _SIDE,
        "load_start_pos_w": _POSITION,
        "load_start_pos_h": _POSITION,
        "crop_size_w": _SIDE,
        "crop_size_h": _SIDE,
        "left_padding_size": _PAD,
        "right_padding_size": _PAD,
        "top_padding_size": _PAD,
        "bottom_padding_size": _PAD,
        "padding_value": _HALF,
        "matrix": Range(-32677, 32676),  # as the manual has it, inside int16
        "input_bias": _BYTE,
        "output_bias": _BYTE,
        "mean_chn": _BYTE,
        "min_chn": _BYTE,
        "var_reci_chn": _HALF,
    }
)


def _is_even(config: AippConfig) -> bool:
    sides = (config.src_image_size_w, config.src_image_size_h)
    starts = (config.load_start_pos_w, config.load_start_pos_h) if config.crop else ()
    return config.input_format is not InputFormat.YUV420SP or not any(value % 2 for value in (*sides, *starts))


def _is_inside(config: AippConfig) -> bool:
    wide = config.load_start_pos_w + config.crop_size_w <= config.src_image_size_w
    high = config.load_start_pos_h + config.crop_size_h <= config.src_image_size_h
    return not config.crop or (wide and high)


LAWS: tuple[Law, ...] = (
    Law(
        "input_format",
        "static AIPP names its input_format",
        lambda c: c.aipp_mode is Mode.DYNAMIC or c.input_format is not None,
    ),
    Law(
        "max_src_image_size",
        "max_src_image_size belongs to dynamic AIPP, which must have it",
        lambda c: (c.aipp_mode is Mode.DYNAMIC) == (c.max_src_image_size > 0),
    ),
    Law(
        "related_input_name",
        "related_input_rank and related_input_name exclude each other",
        lambda c: c.related_input_rank is None or not c.related_input_name,
        "GE ge/graph/preprocess/insert_op (E10052)",
    ),
    Law(
        "src_image_size_w",
        "src_image_size_w is 0 or at least 2",
        lambda c: c.src_image_size_w != 1,
    ),
    Law(
        "src_image_size_w",
        "src_image_size_w and src_image_size_h are given both or not at all",
        lambda c: (c.src_image_size_w > 0) == (c.src_image_size_h > 0),
    ),
    Law(
        "src_image_size_w",
        "with crop or padding the src_image_size is given",
        lambda c: c.aipp_mode is Mode.DYNAMIC or not (c.crop or c.padding) or c.src_image_size_w > 0,
    ),
    Law(
        "src_image_size_w",
        "sizes and crop positions of YUV420SP_U8 are even",
        _is_even,
    ),
    Law(
        "crop_size_w",
        "the crop lies inside the source picture",
        _is_inside,
    ),
    Law(
        "crop_size_w",
        "with crop and padding the crop_size is given",
        lambda c: not (c.crop and c.padding) or (c.crop_size_w > 0 and c.crop_size_h > 0),
    ),
    Law(
        "resize",
        "AIPP does not resize on Ascend",
        lambda c: not (c.resize or c.resize_output_w or c.resize_output_h),
    ),
    Law("support_rotation", "AIPP does not rotate", lambda c: not c.support_rotation),
    Law("raw_rgbir_to_f16_n", "RAW pictures are not supported", lambda c: not c.raw_rgbir_to_f16_n),
    Law(
        "csc_switch",
        "YUV400_U8 has no colours to convert",
        lambda c: c.input_format is not InputFormat.YUV400 or not c.csc_switch,
    ),
    Law(
        "csc_switch",
        "csc_switch without a matrix leaves the choice to ATC, whose parts differ (RGB rows or BGR rows): write it",
        lambda c: c.aipp_mode is Mode.DYNAMIC or not c.csc_switch or bool(c.matrix),
        "CANN op_proto (Aipp) and tbe/impl/aipp_comm.py: the default matrices",
        Severity.WARNING,
    ),
)


def breaches(config: AippConfig) -> Iterator[Breach]:
    """Yield every range that a field leaves and every law that the fields break together."""
    for name, allowed in RANGES.items():
        value = getattr(config, name)
        for field, number in zip(spelling(name), value if isinstance(value, tuple) else (value,), strict=False):
            if not allowed.low <= number <= allowed.high:
                text = f"{field} is {number:g}; it is {allowed.low:g} to {allowed.high:g}"
                yield Breach(field, "P802", text, allowed.source)
    for law in LAWS:
        if not law.holds(config):
            yield Breach(law.field, "P803", law.sentence, law.source, law.severity)


def checked(config: AippConfig) -> AippConfig:
    """Return the configuration if ATC accepts it; raises `PreprocessingError` (P802, P803) with all that it breaks."""
    problems = Problems([breach.diagnostic() for breach in breaches(config)])
    problems.raise_as(PreprocessingError)
    return config
