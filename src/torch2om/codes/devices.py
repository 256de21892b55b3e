"""Codes of what is beside the net: preprocessing, om files, runs on the board."""

from __future__ import annotations

from torch2om.codes.info import CodeInfo

DEVICES: dict[str, CodeInfo] = {
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
}
