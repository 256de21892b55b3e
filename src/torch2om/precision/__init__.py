"""What half precision does to a net, layer by layer, and which layers to keep in a higher one."""

from torch2om.precision.advice import Advice, advise
from torch2om.precision.choice import Kept, choose
from torch2om.precision.kept import outputs_with
from torch2om.precision.options import Option, keep_dtype_file, op_precision_mode_file
from torch2om.precision.runs import LayerStudy, OutputStudy, Study, study
from torch2om.precision.span import Span, span_of

__all__ = [
    "Advice",
    "Kept",
    "LayerStudy",
    "Option",
    "OutputStudy",
    "Span",
    "Study",
    "advise",
    "choose",
    "keep_dtype_file",
    "op_precision_mode_file",
    "outputs_with",
    "span_of",
    "study",
]
