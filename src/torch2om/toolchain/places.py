"""Where the compilers stand, generation by generation: the one table behind the search, `doctor` and compile.sh.

A path is written as a shell writes it; a place whose variables are not set is passed over. The order is the order of
the search (ATC manual: install and set_env.sh; HiLens guide: DDK).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch2om.toolchain.tool import Tool

ON_PATH = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One place to look at: the path (`ON_PATH`: wherever PATH leads), and which generation puts its compiler there."""

    path: str
    generation: str


_TOOLKIT = "CANN 5.0.3 to 8.3"
_FIRST = "CANN 20.x and 3.x"
_DDK = "DDK 1.x"
_SYSTEM = "/usr/local/Ascend"
_HOME = "$HOME/Ascend"

PLACES: Mapping[Tool, tuple[Place, ...]] = {
    "atc": (
        Place("$ASCEND_TOOLKIT_HOME/bin/atc", "CANN, its environment set"),
        Place("$ASCEND_HOME_PATH/bin/atc", "CANN, its environment set"),
        Place("$ASCEND_TOOLKIT_HOME/compiler/bin/atc", "CANN, its environment set"),
        Place(ON_PATH, "on PATH"),
        Place(f"{_SYSTEM}/cann/bin/atc", "CANN 8.5 and later"),
        *(
            Place(f"{root}/ascend-toolkit/latest/{folder}/atc", generation)
            for root in (_SYSTEM, _HOME)
            for folder, generation in (("compiler/bin", _TOOLKIT), ("bin", _TOOLKIT), ("atc/bin", _FIRST))
        ),
        Place(f"{_SYSTEM}/atc/bin/atc", _FIRST),
    ),
    "omg": (
        Place("$DDK_HOME/uihost/bin/omg", _DDK),
        Place("$DDK_PATH/uihost/bin/omg", _DDK),
        Place("$DDK_PATH/bin/x86_64-linux-gcc5.4/omg", _DDK),
        Place(ON_PATH, "on PATH, as in the terminal of HiLens Studio"),
    ),
}

# What to install where no compiler is found, and where it comes from.
REMEDIES: Mapping[Tool, str] = {
    "atc": (
        "Install the CANN toolkit (and, from 8.5 on, the ops package of the chip) from https://www.hiascend.com; "
        "no NPU is needed to compile. Ascend 310 needs CANN 7.x or older. Then run compile.sh there, or name the "
        "compiler with --tool."
    ),
    "omg": (
        "omg comes with the DDK of the Atlas 200 DK (MindStudio 2.x) and is ready in the terminal of HiLens Studio "
        "(Huawei Cloud). Run compile.sh there, or name the compiler with --tool."
    ),
}
