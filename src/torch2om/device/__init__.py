"""A run on the board: the inputs that a runner takes, and what came back against what was expected."""

from torch2om.device.comparison import DeviceComparison, OutputComparison, compare
from torch2om.device.golden import Golden, golden_of_files, golden_of_half, golden_of_reference
from torch2om.device.inputs import ais_bench, msame, write_inputs
from torch2om.device.outputs import OutputFile, find_outputs
from torch2om.device.pictures import (
    Picture,
    as_fed,
    behind_aipp,
    drawn,
    fed_shapes,
    for_the_model,
    pictures_of,
)
from torch2om.device.record import DeviceRecord, Port, read_record

__all__ = [
    "DeviceComparison",
    "DeviceRecord",
    "Golden",
    "OutputComparison",
    "OutputFile",
    "Picture",
    "Port",
    "ais_bench",
    "as_fed",
    "behind_aipp",
    "compare",
    "drawn",
    "fed_shapes",
    "find_outputs",
    "for_the_model",
    "golden_of_files",
    "golden_of_half",
    "golden_of_reference",
    "msame",
    "pictures_of",
    "read_record",
    "write_inputs",
]
