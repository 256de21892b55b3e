"""What the vendor's error codes mean and what to do: atc's, and the numbers of an om that does not load.

Sources: `ATC` is GE's error registry (base/common/error_registry/error_registry.cc) and the ATC manual; `ACL` the error
numbers of GE's and the runtime's headers; `FE` the fusion engine's and TBE's own messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ATC, FE, ACL = "GE error_registry.cc", "CANN fusion engine and TBE", "GE and ACL headers"


@dataclass(frozen=True, slots=True)
class Failure:
    """One code of the vendor's: why it is printed, what to do, and who says so."""

    code: str
    cause: str
    remedy: str
    source: str


# (codes, cause, remedy); the codes of a row are told apart by the message that follows them in the log.
_ATC = (
    (
        "E10001 E10003 E10014",
        "An option has a value that atc does not take.",
        "Correct the option that the message names; `torch2om compile --help` lists them.",
    ),
    (
        "E10002",
        "--input_shape is not written as atc reads it.",
        "Write NAME:N,C,H,W;NAME2:... with integers only, in quotes.",
    ),
    ("E10004", "An option has an empty value.", "Give the option a value, or leave it out."),
    ("E10005", "An option that is true or false has another value.", "Write true or false."),
    ("E10006", "An option that is 0 or 1 has another value.", "Write 0 or 1."),
    (
        "E10007 E10058",
        "An option that atc needs is missing.",
        "Give the option that the message names; --framework=0 is Caffe.",
    ),
    ("E10008", "--weight is missing: Caffe needs the caffemodel.", "Give --weight with the caffemodel."),
    ("E10009 E10047 E10056", "Two options exclude each other.", "Keep one of the options that the message names."),
    (
        "E10011 E10012 E10018 E10019 E10031 E10035 E10036 E10037 E10038 E10039 E10040 E10045 E10046 E10049",
        "The gears do not agree with the -1 dims of --input_shape.",
        "A batch gear decides the first dim, an image gear H and W, dynamic_dims each -1; 2 to 100 gears.",
    ),
    (
        "E10016",
        "--input_shape or --out_nodes names an op that the net does not have.",
        "Use the names in the prototxt; compile without these options names them by itself.",
    ),
    (
        "E10017",
        "A node named as an fp16 input is no input of the net.",
        "Name inputs of the net in --input_fp16_nodes.",
    ),
    (
        "E10034",
        "An input is named as fp16 and has AIPP, which makes it uint8.",
        "Leave one of them out for this input.",
    ),
    (
        "E10021 E10022",
        "--output is no usable path: no file name, or too long.",
        "Give a path that ends with a file name.",
    ),
    (
        "E13000 E13001 E13002 E13003 E13004 E13026",
        "A path or file cannot be used: missing, not readable, or with characters that atc refuses.",
        "Check that the file exists and can be read; paths have letters, digits, '_', '-', '.' and Chinese.",
    ),
    (
        "E10041 E13005 E13018",
        "The net cannot be parsed or loaded: not a prototxt or caffemodel, truncated, or another --framework.",
        "Run `torch2om check` on the files; a git-lfs pointer in place of the caffemodel is a usual cause.",
    ),
    (
        "E10052",
        "The AIPP file is not valid: its inputs, or crop and padding with changing sizes.",
        "Name each input once, by rank or by name; with image gears leave crop, padding and src_image_size out.",
    ),
    ("E10054", "A needed value is empty, or a value was cut by the shell.", "Put values with ';' in quotes."),
    ("E10057", "The mode wants another set of options.", "--mode=6 takes --om alone; 1 and 5 take --om and --json."),
    ("E10010", "--log has an unknown value.", "Write debug, info, warning, error or null."),
    (
        "E10501",
        "An op is not registered: the op package is not there.",
        "Source set_env.sh (it sets ASCEND_OPP_PATH); from CANN 8.5 on install the ops package of the chip.",
    ),
    (
        "E11001 E11003 E11004 E11005",
        "The net's inputs have no shape, or two that contradict each other.",
        "Write each input as a layer of type Input with input_param { shape }, as torch2om does.",
    ),
    ("E11008", "DetectionOutput means several things.", "Name the type SSDDetectionOutput, or give --op_name_map."),
    (
        "E11009",
        "atc has no parser for a layer type.",
        "Convert with torch2om for this target; `torch2om limits` lists its layer types.",
    ),
    ("E11012 E11014 E11015", "A layer reads a blob that no layer makes.", "Run `torch2om check` on the files."),
    (
        "E11016 E11017",
        "--out_nodes names a layer or an output that is not there.",
        "Write LAYER:INDEX of layers in the prototxt; an index counts the layer's tops from 0.",
    ),
    (
        "E11018",
        "A layer's name has characters that atc refuses.",
        "Names have letters, digits, '.', '/', '_' and '-' only.",
    ),
    (
        "E11021 E11022 E11023 E11024",
        "The net or the caffemodel is of the old form (`layers`), or empty.",
        "Upgrade it; `torch2om convert FILE.prototxt` writes today's form.",
    ),
    (
        "E11027 E11029 E11033",
        "An input shape is empty, a layer has no weights, or a weight has another size than its shape.",
        "Give the caffemodel that belongs to the prototxt; names and types must be the same in both.",
    ),
    ("E11032", "A field is not of the type that atc's caffe.proto gives it.", "Run `torch2om check` on the prototxt."),
    (
        "E11035 E11036 E11037",
        "An input has not one top, two inputs share a top, or a layer has none.",
        "Give each Input one top of its own; leave Silence layers out.",
    ),
    ("E13009", "Two ops have one name.", "Give each layer a name of its own."),
    (
        "E13010",
        "No plugin parses a layer type.",
        "Convert with torch2om for this target; `torch2om limits` lists its layer types.",
    ),
    (
        "E13014 E14001",
        "An op has an attribute that it does not take.",
        "Run `torch2om check` on the prototxt; the message names the attribute.",
    ),
    (
        "E13023",
        "A part of the om would be over 4 GB.",
        "Make the model smaller, or run compile.sh's command by hand with --external_weight=1.",
    ),
    (
        "E19999",
        "An inner error of the compiler.",
        "Read the TraceBack below it and ~/ascend/log/debug/plog; --out_nodes before an op shows if it is at fault.",
    ),
)
_FE = (
    (
        "E20001",
        "An op could not be compiled.",
        "The op is the Caffe layer of that name, or several fused; the lines below say what TBE refuses.",
    ),
    (
        "E40021",
        "The op's kernel could not be compiled.",
        "Look at the lines above it for the first error; python packages that TBE needs are a usual cause.",
    ),
    (
        "EZ3002",
        "The op exists, but not with this type, format or shape on this chip.",
        "The reason in the message says what is refused; `torch2om check` names the layer's limits.",
    ),
    (
        "EZ3003",
        "The chip has no kernel for the op.",
        "Convert for the right target and give the right --soc; the layer must be another, or a custom op.",
    ),
    (
        "EZ9999",
        "An inner error of the op library.",
        "Look at the op, its shape and the chip in the lines above the first code.",
    ),
    ("W11001", "An op is not in the library for high performance.", "The om works; this op runs slower."),
    ("W11002", "Names in the compression file are not in the net.", "Correct the names in the compression file."),
)
_ACL = (
    ("145000", "A parameter of the call is invalid.", "Look for a null or wrong argument."),
    ("145002", "The om's path is invalid.", "Check that the file exists on the board and can be read."),
    ("145003", "The model id is invalid.", "Load the om before it is used."),
    (
        "145006",
        "The om's size is not what its header says.",
        "Copy it again: truncated, a git-lfs pointer, or no om; `torch2om inspect FILE.om` says which.",
    ),
    ("145009", "The om was loaded twice.", "Unload it first."),
    (
        "145011 145012",
        "The dynamic input has a wrong address or length.",
        "Feed as many bytes as the chosen gear needs.",
    ),
    (
        "145013",
        "The batch is none of the gears.",
        "Choose one of the sizes that the om was compiled with; `torch2om inspect FILE.om` lists them.",
    ),
    ("145014", "AIPP's batch is empty.", "Set AIPP's parameters for each picture of the batch."),
    ("145015", "The om has no AIPP on this input.", "Dynamic AIPP was set on an om with static AIPP, or with none."),
    ("145016", "AIPP's mode does not fit.", "Dynamic AIPP was set on an om with static AIPP."),
    ("145020", "The input's format is not the om's.", "Describe the input as `torch2om inspect FILE.om` shows it."),
    ("145021", "The input's shape is not the om's.", "Describe the input as `torch2om inspect FILE.om` shows it."),
    ("145022", "The input's data type is not the om's.", "Describe the input as `torch2om inspect FILE.om` shows it."),
    ("245000", "There is no memory left on the host.", "End other programs, or take a smaller batch."),
    (
        "245002",
        "There is no memory left on the device.",
        "End what else holds the device's memory, or take a smaller model or batch.",
    ),
    ("545000", "An inner error of the runtime.", "Read ~/ascend/log."),
    (
        "545001",
        "The om cannot be loaded.",
        "Compile it for this chip and with a CANN that is not newer than the board's.",
    ),
    (
        "545002",
        "The om's table of partitions is damaged.",
        "Copy or compile it again; `torch2om inspect FILE.om` reads it.",
    ),
    ("545003", "The om's weights are damaged.", "Copy or compile it again."),
    ("545004", "The om's tasks cannot be loaded.", "Compile it for this chip."),
    ("545005", "The om's kernels cannot be loaded.", "Compile it for this chip."),
    ("545006", "The om cannot be released.", "Wait for its runs to end first."),
    ("545008", "The tensors' description cannot be read.", "Copy or compile the om again."),
    (
        "545601",
        "The run took longer than is allowed.",
        "Make the om smaller, or look for another program on the device.",
    ),
)


def _rows() -> Mapping[str, Failure]:
    families = ((_ATC, ATC), (_FE, FE), (_ACL, ACL))
    return {
        code: Failure(code, cause, remedy, source)
        for rows, source in families
        for codes, cause, remedy in rows
        for code in codes.split()
    }


FAILURES: Mapping[str, Failure] = MappingProxyType(_rows())

# Codes that stand in no row, by how they begin.
_FAMILIES = (
    (r"W\d", "A warning of the compiler.", "The om works; the message says what may be worse."),
    (r"E1\d", "An error of atc's own or of its parser.", "The message says what; run `torch2om check` on the files."),
    (
        r"E2\d|EZ",
        "The fusion engine or the op library refuses an op.",
        "The op is the layer of that name; look at the reason in the message.",
    ),
    (
        r"E3\d",
        "The library of CPU ops refuses an op.",
        "The op is the layer of that name; look at the reason in the message.",
    ),
    (r"E[45]\d", "TBE could not compile an op's kernel.", "Look at the lines above the first code."),
    (r"EE|EI|E", "An error of the runtime.", "Read ~/ascend/log."),
)


def failure(code: str) -> Failure:
    """Return what a code means: its own row, or its family's."""
    known = FAILURES.get(code)
    if known is not None:
        return known
    cause, remedy = next((cause, remedy) for start, cause, remedy in _FAMILIES if re.match(start, code))
    return Failure(code, cause, remedy, FE if re.match(r"E[2-5]|EZ", code) else ATC)


@dataclass(frozen=True, slots=True)
class Symptom:
    """A text without a code that a log shows, and what it means."""

    pattern: str
    cause: str
    remedy: str


SYMPTOMS = (
    Symptom(
        r"ModuleNotFoundError: No module named '(?:decorator|te|tbe|numpy|sympy|attr|psutil|scipy|google.*)'",
        "The compiler's Python has not the packages that it needs.",
        "pip install numpy decorator sympy attrs psutil scipy protobuf there; 'te' and 'tbe' come with set_env.sh.",
    ),
    Symptom(
        r"error while loading shared libraries: \S+",
        "The compiler does not find its own libraries.",
        "Source CANN's set_env.sh; for omg put $DDK_HOME/uihost/lib into LD_LIBRARY_PATH.",
    ),
    Symptom(
        r"(?i)dev(?:ice)? memory malloc error|std::bad_alloc|cannot allocate memory|\bkilled\b|out of memory",
        "The machine has too little memory for the compiler.",
        "Give it 4 GB or more, or set TE_PARALLEL_COMPILER=1 there.",
    ),
    Symptom(
        r"Model soc version\s*\[.*?\] is not support in this device",
        "The om was compiled for another chip.",
        "Compile with the --soc that npu-smi info shows on the board.",
    ),
    Symptom(
        r"opp version of the model does not match",
        "The om was compiled with another op package than the board's.",
        "Compile with the CANN that the board has.",
    ),
    Symptom(
        r"Get model input shape error",
        "omg does not read several `input:` lines.",
        "Write each input as a layer of type Input, as torch2om does.",
    ),
    Symptom(
        r'Message type "\S+" has no field named "\w+"',
        "A field of the prototxt is not in the compiler's caffe.proto.",
        "Convert for this target with torch2om; it writes only fields that the compiler reads.",
    ),
    Symptom(
        r"Error parsing text-format",
        "The prototxt is no valid text for the compiler's caffe.proto.",
        "Run `torch2om check` on it.",
    ),
)

# What a log says at its end, generation by generation.
FAILED = (
    "ATC run failed",
    "OMG generate offline model failed",
    "OMG Generate execute failed",
)
SUCCEEDED = ("ATC run success", "OMG generate offline model success")
