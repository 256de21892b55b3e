"""Arguments and options that several verbs share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout instead of text.")]
Prototxt = Annotated[Path, typer.Argument(metavar="PROTOTXT", help="The net's text file.", show_default=False)]
Caffemodel = Annotated[
    Path | None, typer.Argument(metavar="[CAFFEMODEL]", help="The net's weights.", show_default=False)
]
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="package.module:callable, file.py:callable, a torch.export .pt2, a TorchScript .pt, or a .prototxt.",
        show_default=False,
    ),
]
Inputs = Annotated[
    list[str],
    typer.Option("--input", "-i", metavar="NAME=DIMS", help="An input's shape, as x=1x3x224x224.", show_default=False),
]
Allow = Annotated[
    list[str],
    typer.Option("--allow", metavar="RULE", help="Let a rule run that is not exact. Repeatable.", show_default=False),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights", "-w", metavar="FILE", help="A .pth, .safetensors or .caffemodel to load.", show_default=False
    ),
]
Samples = Annotated[
    int, typer.Option("--samples", metavar="N", min=1, help="How many seeded random inputs to compare on.")
]
Sample = Annotated[
    list[Path],
    typer.Option(
        "--sample",
        metavar="FILE",
        help="Compare on this input instead: an .npz by input name, or an .npy if there is one input. Repeatable.",
        show_default=False,
    ),
]
