"""Where an om comes from: which compiler, for which chip, from which framework, by which command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch2om.om.definition import Definition, Value, integer, integers, text
from torch2om.om.header import FIRST, FLOW, Header

_MODEL_TYPES: Mapping[int, str] = {
    0: "model",
    1: "standard model",
    2: "tiny model",
    FLOW: "flow model",
    4: "lite model",
}
_KIRIN_TYPES: Mapping[int, str] = {
    0: "standard model (old)", 2: "tiny model", 3: "IR graph", 4: "partitioned model", 5: "ISPNN model",
    6: "third party model", 8: "micro tiny model", 9: "multi shape model", 10: "enumerated shape model",
}  # fmt: skip
_KIRIN = "LITE"
_KIRIN_PLATFORM = "3."  # 3.51.z.0; Ascend writes 1.11.z.0
_SIZES = ("weights", "tbe_kernels", "cust_aicpu_kernels", "tasks", "so_bins")  # the order of om_info_list
_FRAMEWORKS: Mapping[int, str] = {0: "Caffe", 1: "MindSpore", 3: "TensorFlow", 5: "ONNX"}  # atc --framework


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the head and the model's attributes tell; what the compiler did not write is empty."""

    generation: str
    kind: str
    target: str
    soc: str
    arch: str
    framework: str
    compiler_version: str
    operators_version: str
    platform: str
    command: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What the runtime must set aside, in bytes, and how many streams and events it uses; None: not told.

    `sizes` are the bytes of each partition as the compiler noted them.
    """

    work: int | None
    weights: int | None
    zero_copy: int | None
    streams: int | None
    events: int | None
    labels: int | None
    sizes: Mapping[str, int]


def read_provenance(header: Header, definition: Definition) -> Provenance:
    """Return where the file comes from."""
    known = definition.attributes
    target = text(known.get("target_type"))
    kinds = _KIRIN_TYPES if is_kirin(header, definition) else _MODEL_TYPES
    return Provenance(
        generation=_generation(header, definition),
        kind=kinds.get(header.model_type, f"model type {header.model_type}"),
        target=target,
        soc=text(known.get("soc_version")),
        arch=text(known.get("arch_type")),
        framework=_framework(known.get("framework_type")),
        compiler_version=text(known.get("atc_version")),
        operators_version=text(known.get("opp_version")),
        platform=header.platform,
        command=text(known.get("atc_cmdline")),
    )


def is_kirin(header: Header, definition: Definition) -> bool:
    """Whether a phone's compiler made it: some numbers mean other things there. Small files tell the platform alone."""
    by_platform = header.version == FIRST and header.platform.startswith(_KIRIN_PLATFORM)
    return by_platform or text(definition.attributes.get("target_type")) == _KIRIN


def read_memory(definition: Definition) -> Memory:
    """Return what running the model takes."""
    known = definition.attributes
    sizes = integers(known.get("om_info_list")) or ()
    return Memory(
        work=_known(known.get("memory_size")),
        weights=_known(known.get("weight_size")),
        zero_copy=_known(known.get("zero_copy_memory_size")),
        streams=_known(known.get("stream_num")),
        events=_known(known.get("event_num")),
        labels=_known(known.get("label_num")),
        sizes=dict(zip(_SIZES, sizes, strict=False)),
    )


def _generation(header: Header, definition: Definition) -> str:
    """Tell the compiler's generation by what it writes: see the partitions and attributes of each in real files."""
    if is_kirin(header, definition):
        return "HiAI DDK (Kirin)"
    if header.version == FIRST:
        return "CANN 20.x (ATC 1.7x)" if "atc_version" in definition.attributes else "omg (DDK 1.x, HiLens)"
    if not header.is_wide:
        return "CANN 5 or 6"
    return "CANN 7 or later"


def _framework(value: Value | None) -> str:
    if isinstance(value, int):
        return _FRAMEWORKS.get(value, f"framework {value}")
    return text(value)


def _known(value: Value | None) -> int | None:
    return integer(value) if isinstance(value, int) else None
