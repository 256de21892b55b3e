"""Codes of nets and their files: targets, Caffe files, emit, verification."""

from __future__ import annotations

from torch2om.codes.info import CodeInfo

NETS: dict[str, CodeInfo] = {
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
    "T417": CodeInfo(
        "constant beyond half precision",
        "A weight or a parameter is above 65504. Ascend chips compute in half precision unless told otherwise: it is "
        "infinite there, and 0 times infinity is NaN.",
        "Write a number that half precision has (-6e4 for a mask's -1e9), or keep the layer in a higher precision; "
        "`torch2om precision` shows what becomes of the outputs.",
    ),
    "T418": CodeInfo(
        "filters that a layer writes",
        "A product of two blobs is written as a Convolution that shares the parameter which another layer overwrites: "
        "BVLC Caffe, whose parameters are memory, computes it so, and has no other product of two blobs.",
        "Nothing for BVLC Caffe. A reader that takes parameters for constants computes something else: convert for the "
        "target that will read the files (opencv, ascend310, hilens), whose nets do without.",
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
        "A layer's blobs are missing, from the caffemodel or because there is none and no constant filler gives them, "
        "or have shapes that the layer cannot use.",
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
        "A caffemodel is a protobuf message and ends at 2 GiB, which is 536 million weights.",
        "Take a smaller model, or cut it into parts that are converted one by one; no reader takes a larger file.",
    ),
    "V701": CodeInfo(
        "meaning differs",
        "A blob differs from its PyTorch value in float64: the conversion is wrong.",
        "The first layer that diverges is named with the user's line; convert without a rule that you allowed there, "
        "and report what differs all the same with the model.",
    ),
    "V702": CodeInfo(
        "written files differ",
        "The files as written differ from PyTorch by more than float32 rounding explains.",
        "The first layer that diverges is named with the user's line; convert without a rule that you allowed there, "
        "and report what differs all the same with the model.",
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
}
