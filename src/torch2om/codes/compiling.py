"""Codes of other programs' work: the vendor's compiler, the processes of a list."""

from __future__ import annotations

from torch2om.codes.info import CodeInfo

COMPILING: dict[str, CodeInfo] = {
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
