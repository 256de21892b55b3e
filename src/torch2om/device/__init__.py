"""A run on the board: the inputs that a runner takes, and what came back against what was expected."""

from torch2om.device.comparison import DeviceComparison, OutputComparison, compare
from torch2om.device.golden import Golden, golden_of_files, golden_of_half, golden_of_reference
from torch2om.device.inputs import ais_bench, as_fed, msame, write_inputs
from torch2om.device.outputs import OutputFile, find_outputs
from torch2om.device.record import DeviceRecord, Port, read_record

__all__ = [
    "DeviceComparison",
    "DeviceRecord",
    "Golden",
    "OutputComparison",
    "OutputFile",
    "Port",
    "ais_bench",
    "as_fed",
    "compare",
    "find_outputs",
    "golden_of_files",
    "golden_of_half",
    "golden_of_reference",
    "msame",
    "read_record",
    "write_inputs",
]
