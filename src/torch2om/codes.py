"""The table of diagnostic codes: what each means and what to do; `explain CODE` and docs/diagnostics.md read it.

A code's letter names its family (`FAMILIES`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """One code: its title, what it means, and the remedy."""

    title: str
    meaning: str
    remedy: str


FAMILIES = {
    "U": "usage",
    "C": "capture",
    "L": "lowering",
    "T": "targets",
    "F": "Caffe files",
    "P": "preprocessing",
    "E": "emit",
    "V": "verification",
    "O": "om files",
    "D": "device runs",
    "K": "compiling",
    "B": "lists of models",
}

CODES: dict[str, CodeInfo] = {
    "U100": CodeInfo(
        "command line malformed",
        "No such verb or option, an option's value is not of its kind, or an argument is missing.",
        "`torch2om --help` lists the verbs, `torch2om VERB --help` a verb's options.",
    ),
    "U101": CodeInfo(
        "model not found",
        "MODEL names no file, module or attribute that exists.",
        "Write package.module:callable, file.py:callable, model.pt2 or model.pt, and run where the import works.",
    ),
    "U102": CodeInfo(
        "model is not callable",
        "MODEL names something that is neither a torch.nn.Module nor a callable that returns one.",
        "Point MODEL at the module's class, an instance, or a function without required arguments that returns it.",
    ),
    "U103": CodeInfo(
        "model needs arguments",
        "The callable behind MODEL cannot be called without arguments, or not with those that are written.",
        "Give literals, as in MODEL 'net.py:build(num_classes=21)', or name a function without arguments.",
    ),
    "U104": CodeInfo(
        "model failed to build",
        "Importing or calling MODEL raised an exception of its own.",
        "Run the same import in Python; the exception is the user's code's, shown in full.",
    ),
    "U105": CodeInfo(
        "model has no such part",
        "torch2om.detection was asked for a part of a model that is no detector of torchvision's, or has no such head.",
        "docs/detection.md lists the parts of each detector; cut any other model by a module of your own.",
    ),
    "U111": CodeInfo(
        "input missing",
        "forward() takes an argument for which no --input was given.",
        "Give --input NAME=DIMS for every argument of forward() that has no default, for example x=1x3x224x224.",
    ),
    "U112": CodeInfo(
        "input unknown",
        "An --input names no argument of forward().",
        "Use the argument names of forward(); they are listed in the message.",
    ),
    "U113": CodeInfo(
        "input malformed",
        "An --input is not NAME=DIMS, or a dimension is not a positive whole number.",
        "Write for example x=1x3x224x224.",
    ),
    "U114": CodeInfo(
        "input type not supported",
        "Caffe's blobs are floating point: complex, bool and integer inputs have no counterpart.",
        "Take the lookup (embedding, indexing) out of the model, or feed the float value it produces.",
    ),
    "U115": CodeInfo(
        "sample unreadable",
        "A --sample or --input file is not a readable .npy or .npz, or its arrays do not fit the inputs.",
        "Save the arrays with numpy.save or numpy.savez under the input names, in the input shapes.",
    ),
    "U121": CodeInfo(
        "weights unreadable",
        "The weights file does not exist or is in no format that can be read.",
        "Give a .pth/.pt with a state_dict, or a .safetensors file.",
    ),
    "U122": CodeInfo(
        "weights refused",
        "The pickle holds objects that torch.load(weights_only=True) refuses, because loading them runs code.",
        "Where the file was made: torch.save(model.state_dict(), 'weights.pth'), then convert that file.",
    ),
    "U123": CodeInfo(
        "weights do not fit",
        "The state_dict's keys or shapes differ from the model's.",
        "Compare the missing and unexpected keys listed; a wrong class count or model variant is the usual cause.",
    ),
    "U124": CodeInfo(
        "weights were wrapped",
        "The file holds the state_dict inside a checkpoint, or its keys carry a training wrapper's prefix.",
        "Nothing to do if what was taken off is what the message names.",
    ),
    "U131": CodeInfo(
        "unknown target",
        "No target of that name exists.",
        "`torch2om limits` lists the targets.",
    ),
    "U132": CodeInfo(
        "unknown name",
        "No such diagnostic code, operator or rule exists.",
        "`torch2om explain` without an argument lists what can be explained.",
    ),
    "U133": CodeInfo(
        "file not found or unreadable",
        "A file named on the command line does not exist or cannot be read.",
        "Check the path and its permissions.",
    ),
    "U141": CodeInfo(
        "PyTorch is not installed",
        "This verb runs a PyTorch model, and torch cannot be imported.",
        "pip install 'torch2om[torch]'; check, run and analyze work on Caffe files without it.",
    ),
    "U142": CodeInfo(
        "lowerings of another package are broken",
        "An installed package offers lowerings (entry point torch2om.lowerings) that cannot be used.",
        "The message names the package: mend it, or uninstall it.",
    ),
    "U143": CodeInfo(
        "options exclude each other",
        "Two options were given of which only one can apply.",
        "Leave out what the message names.",
    ),
    "U144": CodeInfo(
        "name is no file name",
        "The name of the files is empty, begins with a dot, or names a folder too.",
        "Give the stem alone, as --name model; the folder is given by -o.",
    ),
    "U145": CodeInfo(
        "no such rule to allow",
        "--allow names a rule that does not exist, or one that always may run because it is exact.",
        "docs/rules.md lists the rules; those marked `only if allowed` can be named.",
    ),
    "U151": CodeInfo(
        "list malformed",
        "LIST.toml of `torch2om batch` is no TOML, lists no model, or a value in it is not of its kind.",
        "docs/batch.md shows a list and explains its keys.",
    ),
    "U152": CodeInfo(
        "unknown key in a list",
        "LIST.toml has a key that means nothing there.",
        "Take the key that the hint names, or leave it out.",
    ),
    "U153": CodeInfo(
        "name stands twice in a list",
        "Two models of LIST.toml have one name, and their files would overwrite each other.",
        "Give each model a name of its own: name = ...",
    ),
    "U154": CodeInfo(
        "cluster cannot be used",
        "`torch2om batch --cluster` needs Dask, and a Dask scheduler at the address whose workers have this torch2om.",
        "pip install 'torch2om[cluster]' here and on every worker, and give the scheduler's address: tcp://HOST:8786.",
    ),
    "C201": CodeInfo(
        "data-dependent control flow",
        "The model's Python branches on a tensor's value, so no single static graph describes it.",
        "Replace the branch with torch.where or arithmetic, or export the branch that deployment takes.",
    ),
    "C202": CodeInfo(
        "dynamic shape",
        "A shape depends on data or was left symbolic; Caffe's nets are static.",
        "Fix the sizes: give concrete --input dims and use no operation whose output size depends on values.",
    ),
    "C203": CodeInfo(
        "capture failed",
        "torch.export could not trace the model.",
        "The message is PyTorch's own; the user's line is shown where PyTorch told it.",
    ),
    "C204": CodeInfo(
        "model was in training mode",
        "Dropout and batch normalization behave differently in training; a deployed net is the eval net.",
        "Nothing to do if eval mode is meant: the model was converted in eval mode. Call model.eval() to silence this.",
    ),
    "C205": CodeInfo(
        "weights are not finite",
        "A parameter or buffer holds NaN or infinity.",
        "Find out where training diverged; such a net has no meaning on a device.",
    ),
    "C206": CodeInfo(
        "no tensor output",
        "forward() returns no tensor.",
        "Return a tensor, or a tuple, list, dict or dataclass of tensors.",
    ),
    "C207": CodeInfo(
        "model ran into its own error",
        "The model raises when it is called with inputs of the given shapes.",
        "Check the --input dims against what the model expects.",
    ),
    "C208": CodeInfo(
        "whole detector",
        "The model keeps boxes by their scores and by non-maximum suppression, so its results have no fixed shape.",
        "Convert its convolutional parts, torch2om.detection, and decode on the host: docs/detection.md.",
    ),
    "C209": CodeInfo(
        "quantized model",
        "The model's layers compute with integers, and Caffe's blobs hold floating point only.",
        "Convert the model as it was before quantization; a chip's own tools quantize the files.",
    ),
    "L301": CodeInfo(
        "operation not supported",
        "torch2om has no lowering for this PyTorch operator.",
        "Register one: docs/adding-an-operator.md shows how, in one function of your own package.",
    ),
    "L302": CodeInfo(
        "form not supported",
        "The operator is known, but this use of it has no meaning in Caffe's layers.",
        "The message says which parameter; the hint says what to write instead, where there is a way.",
    ),
    "L303": CodeInfo(
        "lowering is wrong",
        "A lowering produced a blob of another shape than PyTorch's value: a defect of that lowering.",
        "If the lowering is yours, correct it; otherwise report it with the model.",
    ),
    "T401": CodeInfo(
        "layer type not accepted",
        "The target has no such layer type, and no rule rewrites it exactly.",
        "The details say why each rule did not apply.",
    ),
    "T402": CodeInfo(
        "limit broken",
        "A layer breaks a limit of the target, and no rule rewrites it within the limits.",
        "The message names the limit and its source; `torch2om limits TARGET` lists them all.",
    ),
    "T403": CodeInfo(
        "silent trap",
        "The target's reader takes the file but computes something else than it says.",
        "Write the spelling that the message names.",
    ),
    "T404": CodeInfo(
        "target no longer takes Caffe",
        "The compiler for this chip dropped the Caffe front end.",
        "Use the chip's ONNX route, or a chip of the list that the message gives.",
    ),
    "T411": CodeInfo(
        "front end refuses the file",
        "ATC's parser does not take the net as it is written: its names, tops, inputs or edges.",
        "The message says what to write instead; the source says where ATC refuses it.",
    ),
    "T412": CodeInfo(
        "front end refuses the layer",
        "The plugin that reads this layer type's parameters does not take these.",
        "The message names the parameter; the source says where ATC refuses it.",
    ),
    "T413": CodeInfo(
        "front end refuses the weights",
        "ATC does not take the caffemodel, or a layer is left without a weight that it needs.",
        "Give ATC the caffemodel that belongs to the prototxt, with every layer's name, type and bottoms.",
    ),
    "T414": CodeInfo(
        "front end infers no shape",
        "Verifying a layer or inferring its shape fails in ATC, with the dims that ATC gives its bottoms.",
        "The message names the dims; they may differ from Caffe's (an InnerProduct at batch 1 gives [1, C, 1, 1]).",
    ),
    "T415": CodeInfo(
        "the compiler would stop later",
        "ATC's front end takes the layer, but its kernel or a preparing pass does not.",
        "The message names the limit; `torch2om convert` rewrites such layers.",
    ),
    "T416": CodeInfo(
        "omg wants another spelling",
        "omg takes the layers, but not the names or the inputs as they are written.",
        "The message says what to write; `torch2om convert` writes it so.",
    ),
    "F501": CodeInfo(
        "prototxt syntax error",
        "The text is not a valid prototxt; line and column say where.",
        "Mend the text at that place.",
    ),
    "F502": CodeInfo(
        "unknown layer type",
        "No layer of this type is known.",
        "Check the spelling (types are case-sensitive); a layer of your own framework fork must be rewritten.",
    ),
    "F503": CodeInfo(
        "dangling blob",
        "A layer reads a blob that nothing before it produces.",
        "Check the bottom's name and the order of the layers.",
    ),
    "F504": CodeInfo(
        "cycle",
        "Layers depend on each other in a circle.",
        "A net is read from top to bottom; break the circle.",
    ),
    "F505": CodeInfo(
        "caffemodel unreadable",
        "The weights file is truncated or not a caffemodel.",
        "Fetch or write it again; a git-lfs pointer or an HTML page under this name is a usual cause.",
    ),
    "F506": CodeInfo(
        "weights do not fit the net",
        "A layer's blobs are missing from the caffemodel or have shapes that the layer cannot use.",
        "Use the caffemodel that belongs to this prototxt.",
    ),
    "F507": CodeInfo(
        "layer malformed",
        "A layer's parameters, bottoms or tops are not what its type needs.",
        "The message names the field.",
    ),
    "F508": CodeInfo(
        "input without shape",
        "An input has no dims, so no shape in the net is known.",
        "Write input_param { shape { dim: ... } } or input_shape.",
    ),
    "F509": CodeInfo(
        "field ignored",
        "The target's reader does not know this field and ignores it without a word.",
        "Remove the field, or use the spelling that the target reads.",
    ),
    "F510": CodeInfo(
        "layer is judged, not computed",
        "`check` judges such a layer by its target's table, but its numbers are not computed here: no net with it can "
        "be run, or proved equal to another.",
        "End the net before it: take it, and what reads it, out of the prototxt. It may be put behind the written "
        "net again, unproved.",
    ),
    "P801": CodeInfo(
        "AIPP file is malformed",
        "The insert_op_conf file is no protobuf text of aipp_op blocks: its syntax, a field's name or a value's type.",
        "The message gives line and column; the fields are those of insert_op.proto.",
    ),
    "P802": CodeInfo(
        "AIPP value out of range",
        "A field of an aipp_op has a value outside its documented range.",
        "The message names the field and its range.",
    ),
    "P803": CodeInfo(
        "AIPP fields contradict one another",
        "Fields of an aipp_op do not go together, or ask for what AIPP does not do on Ascend.",
        "The message says what must hold, the source who says so.",
    ),
    "P804": CodeInfo(
        "AIPP does not fit the net",
        "What AIPP makes of the picture has not the input's size or channels, or the net has no such input.",
        "The message names both; AIPP crops and pads, but does not resize.",
    ),
    "P811": CodeInfo(
        "normalization malformed",
        "What --normalize says is no normalization, or has numbers for another number of channels than the input.",
        "Write mean=0.485,0.456,0.406,std=0.229,0.224,0.225 (torchvision's numbers), a preset, or file.py:transform.",
    ),
    "P812": CodeInfo(
        "AIPP cannot normalize so",
        "AIPP computes (x - mean) * factor with means of 0 to 510 in pixels and factors within float16.",
        "Leave that part of the normalization in the model: make it the model's first layers.",
    ),
    "P813": CodeInfo(
        "AIPP cannot place the picture so",
        "AIPP crops and pads, but does not resize; padding is up to 32 pixels and has a limit of width per chip.",
        "Resize before the device is fed (DVPP does it on the board), or give frame, crop and pad that fit.",
    ),
    "P814": CodeInfo(
        "pixel format does not fit",
        "AIPP does not make the input's channels of these pixels, or there is no such format.",
        "rgb888, bgr888 and YUV feed inputs of 3 channels or 1; gray feeds inputs of 1 channel.",
    ),
    "P815": CodeInfo(
        "transform not understood",
        "A step of the transform does something else than resizing, cropping, scaling and Normalize.",
        "Give the numbers themselves: --normalize mean=...,std=....",
    ),
    "P816": CodeInfo(
        "target has no AIPP",
        "AIPP is a unit of Ascend chips; Caffe and OpenCV have none.",
        "Convert for a target that an om is compiled for.",
    ),
    "P821": CodeInfo(
        "model begins with no normalization",
        "from-model takes the layers behind the input that scale and shift its channels; the first layer does not.",
        "Leave from-model out and say what the caller does to pixels: --normalize mean=...,std=....",
    ),
    "P822": CodeInfo(
        "normalized twice?",
        "The net begins with layers that scale and shift the input, and AIPP normalizes before them.",
        "Right if the model expects normalized input and has a layer of that kind (BatchNorm); else use from-model.",
    ),
    "P823": CodeInfo(
        "unusual normalization",
        "A pixel's step is much larger or smaller at the net's input than nets are trained with.",
        "Check whether the division by 255 is counted twice or not at all, and whether std is inverted.",
    ),
    "P831": CodeInfo(
        "picture unreadable",
        "The picture is no image that Pillow reads and no uint8 .npy, or Pillow is not installed.",
        "pip install pillow, or save the pixels with numpy.save as uint8 (height, width, 3).",
    ),
    "E601": CodeInfo(
        "output folder not writable",
        "The output folder cannot be made or written to.",
        "Choose another folder with -o, or mend its permissions.",
    ),
    "E602": CodeInfo(
        "no room",
        "The disk is full; nothing was changed.",
        "Free the space that the message names.",
    ),
    "E603": CodeInfo(
        "file would be too large",
        "A caffemodel is a protobuf message and ends at 2 GiB.",
        "Make the model smaller; no Caffe reader takes a larger file.",
    ),
    "V701": CodeInfo(
        "meaning differs",
        "A blob differs from its PyTorch value in float64: the conversion is wrong.",
        "The first layer that diverges is named with the user's line; report it with the model.",
    ),
    "V702": CodeInfo(
        "written files differ",
        "The files as written differ from PyTorch by more than float32 rounding explains.",
        "The first layer that diverges is named with the user's line; report it with the model.",
    ),
    "V703": CodeInfo(
        "not finite",
        "PyTorch itself computes NaN or infinity on the sample, so nothing can be compared.",
        "Give realistic inputs with --sample, and a model with trained weights.",
    ),
    "V704": CodeInfo(
        "files do not belong together",
        "The folder's prototxt, caffemodel and manifest are not of one conversion.",
        "Convert again; a file was changed or replaced.",
    ),
    "V705": CodeInfo(
        "exported graph differs from the model",
        "The user's own model returns something else than the graph that torch.export made of it.",
        "A model with hidden state or randomness cannot be exported faithfully; make forward() a pure function.",
    ),
    "V706": CodeInfo(
        "outputs are zero",
        "The reference computes 0 everywhere on every sample, so files that compute nothing would be equal too.",
        "Use trained weights (a new model's head often starts as zeros), or inputs of your own with --sample.",
    ),
    "O801": CodeInfo(
        "not an om",
        "The file begins as no om does.",
        "Check what was downloaded or copied; an om begins with the four letters IMOD.",
    ),
    "O802": CodeInfo(
        "git-lfs pointer",
        "The file is the small text that git keeps in place of a large file.",
        "Run `git lfs pull` in the repository it comes from.",
    ),
    "O803": CodeInfo(
        "om is truncated",
        "The file is shorter than its head says; the runtime refuses it too (E10001).",
        "Copy or download it again, in binary mode, and compare sizes.",
    ),
    "O804": CodeInfo(
        "om is encrypted",
        "Everything behind the head is encrypted; only a device with the key can read it.",
        "Inspect the om before it is encrypted.",
    ),
    "O805": CodeInfo(
        "om of another family of chips",
        "The file is for HiSilicon's SVP_NNN chips (magic PICO), whose format has only its name in common.",
        "Use the tools of that chip's own SDK.",
    ),
    "O806": CodeInfo(
        "zip package",
        "The file is a zip: an OM2 package of atc --mode=7, or an archive that holds the om.",
        "Unpack it, or compile with atc --mode=0.",
    ),
    "O807": CodeInfo(
        "bundle of models",
        "The file holds several om files behind one head (model type 5).",
        "Inspect the single om files that it was made of.",
    ),
    "O808": CodeInfo(
        "om is damaged",
        "The file begins as an om, but what follows is not what its tables promise.",
        "The message names the byte. Compile or copy the file again.",
    ),
    "O809": CodeInfo(
        "weight not unpacked",
        "The weight's layout, number type or shape is not one that is turned back into a plain array.",
        "Nothing to do: everything else is read. The message says which.",
    ),
    "O811": CodeInfo(
        "inputs or outputs of the om differ",
        "The om is called in another way than the files: names, order, shapes or types.",
        "Compile these files again, with --out_nodes in the manifest's order.",
    ),
    "O812": CodeInfo(
        "weights of the om differ",
        "A constant of the om is not the layer's weight, folded or not, within what rounding allows.",
        "The om was compiled from other weights: compile these files again.",
    ),
    "O813": CodeInfo(
        "weight not identified in the om",
        "No constant of the om could be told to be this weight: quantized, merged or stored in an unknown way.",
        "Nothing is known to be wrong; compare the outputs of the device instead.",
    ),
    "D851": CodeInfo(
        "net is not finite",
        "The net itself computes NaN or infinity on the sample, so half precision has nothing to be compared with.",
        "Give realistic inputs with --sample.",
    ),
    "D852": CodeInfo(
        "inputs are not those of this conversion",
        "The folder that `torch2om inputs` writes is missing, changed, or of another conversion.",
        "Write the inputs again with `torch2om inputs DIR`, and run them on the board again.",
    ),
    "D853": CodeInfo(
        "folder cannot take inputs",
        "The folder holds other things, or its name has a comma, which runners take for the end of a path.",
        "Name another folder with -o.",
    ),
    "D854": CodeInfo(
        "no device run, or several",
        "A runner leaves its outputs in the named folder or in one subfolder that bears the time.",
        "Name the folder of one run with --outputs.",
    ),
    "D855": CodeInfo(
        "output files do not match the net's outputs",
        "Files are told apart by their names: the sample's, then the output's index or blob.",
        "Run the printed command lines with the files of `torch2om inputs`, and copy the whole output folder back.",
    ),
    "D856": CodeInfo(
        "output file does not fit",
        "The file has not as many bytes or numbers as the net's output in float32 or float16.",
        "The message says what it would fit: another batch, another --output_type, another output.",
    ),
    "D857": CodeInfo(
        "device differs",
        "What the device computed crosses a threshold of failure against the Caffe files or the model.",
        "Compare with the row of simulated half precision; `torch2om precision DIR` names the layers to keep.",
    ),
    "D858": CodeInfo(
        "no golden outputs of the model",
        "The model that the files came from cannot be run here: the device is compared with the Caffe files alone.",
        "The message says why; where PyTorch and the model are installed, write the inputs there.",
    ),
    "K901": CodeInfo(
        "no compiler found",
        "None of the documented places has the compiler; everything that it needs stands in the folder.",
        "Install it, name it with --tool, use --runner container or ssh, or run compile.sh on the machine that has it.",
    ),
    "K902": CodeInfo(
        "compiler failed",
        "The compiler ended with an error, or left no om.",
        "The findings beside it say why, as far as the log does; the whole log is compile.log.",
    ),
    "K903": CodeInfo(
        "the compiler says",
        "One finding of the compiler's log, with the vendor's code, its cause, and the layer that it names.",
        "The hint says what to do about this code; `torch2om explain CODE` explains a vendor's code too.",
    ),
    "K904": CodeInfo(
        "time limit passed",
        "The compiler was ended because it took longer than --timeout allows.",
        "Give more time with --timeout; machines with few cores or an ARM processor are slow.",
    ),
    "K905": CodeInfo(
        "host not usable",
        "The container or the machine behind ssh cannot be reached or used.",
        "Try the command in the message by hand; ssh must work without a password.",
    ),
    "K906": CodeInfo(
        "settings not readable",
        "The file with the table [toolchain] is no TOML, or names something unknown.",
        "Correct the line that the message names.",
    ),
    "K911": CodeInfo(
        "compiler option wrong",
        "An option is unknown, is not this compiler's, or has a value that it does not take.",
        "The hint says what it takes.",
    ),
    "K912": CodeInfo(
        "compiler options do not agree",
        "Options contradict each other or the net; the compiler would stop, or compile something else.",
        "Change what the message names.",
    ),
    "K913": CodeInfo(
        "nothing to compile for",
        "The target has no compiler, or the chip is not one of the target's.",
        "Convert for a target with a compiler; `torch2om limits` lists the targets.",
    ),
    "B951": CodeInfo(
        "out of time",
        "The conversion of a model of a list took longer than the list allows for one model.",
        "Raise seconds in [limits], or look in the message which stage takes so long.",
    ),
    "B952": CodeInfo(
        "out of memory",
        "The process of a model of a list took more memory than the list allows, or than there is.",
        "Raise memory in [limits] and lower jobs, or run the model on a larger machine.",
    ),
    "B953": CodeInfo(
        "process died",
        "The process of a model of a list ended without a word: it was killed, it crashed, or its code left it.",
        "Run `torch2om convert` on the model alone. SIGKILL mostly means that the system ran out of memory.",
    ),
    "B954": CodeInfo(
        "defect while converting",
        "An error that is no diagnostic ended the conversion of a model of a list: a defect of torch2om.",
        "Run `torch2om --debug convert` on the model alone, and report what it prints.",
    ),
    "B955": CodeInfo(
        "worker lost",
        "The cluster's worker that converted a model went away, each time that it was tried.",
        "Look into the workers' logs; a worker that is killed mostly had no memory left.",
    ),
}
