"""Codes of command lines: models, inputs, options, lists."""

from __future__ import annotations

from torch2om.codes.info import CodeInfo

USAGE: dict[str, CodeInfo] = {
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
}
