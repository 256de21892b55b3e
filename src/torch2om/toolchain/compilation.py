"""compile_files(): from a conversion's files to the om, wherever the compiler is."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from torch2om.acceptance import examine_files
from torch2om.caffe.reader import read_net
from torch2om.emission import Artifact
from torch2om.errors import CompileError, Diagnostic, LegalityError, Severity, UsageError
from torch2om.ir.net import Net
from torch2om.origin import Origin
from torch2om.publication import publish, reported, staged
from torch2om.targets import target as find_target
from torch2om.targets.limits import Target
from torch2om.toolchain.command import Names, arguments, completed
from torch2om.toolchain.diagnosis import diagnose, says_failed
from torch2om.toolchain.fitting import misfits
from torch2om.toolchain.options import CompileOptions
from torch2om.toolchain.places import REMEDIES
from torch2om.toolchain.runner import Bundle, Expired, Heard, Host, Local, Unreachable
from torch2om.toolchain.script import FOUND, LOOKED, NOT_FOUND, OWN, Work, compile_script
from torch2om.toolchain.subject import Node, Subject
from torch2om.toolchain.tool import Tool, tool_named
from torch2om.version import __version__

SCRIPT, LOG = "compile.sh", "compile.log"
HOUR = 3600.0
KEPT = 50_000  # lines of a log that are looked at; compile.log has them all
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Order:
    """What is asked for: the target and chip (empty: the conversion's), options, and where the compiler runs."""

    target: str = ""
    soc: str = ""
    options: CompileOptions = field(default_factory=CompileOptions)
    host: Host = field(default_factory=Local)
    compiler: str = ""
    seconds: float = HOUR


@dataclass(frozen=True)
class Compiled:
    """What came of it: the om, or what is missing; the script and the log stand beside the files in any case."""

    tool: Tool
    command: tuple[str, ...]
    host: str
    script: Path
    log: Path
    seconds: float
    compiler: str = ""
    om: Path | None = None
    notes: tuple[Diagnostic, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths of what was written."""
        return tuple(filter(None, (self.om, self.script, self.log)))


def compile_files(artifact: Artifact, order: Order, heard: Heard = lambda _: None) -> Compiled:
    """Compile a conversion's files; write compile.sh and compile.log in any case, and the om if the compiler makes it.

    Without a compiler the result has no om and says what is missing (K901). Raises `UsageError` for options that
    cannot be (K911 to K913), `LegalityError` where the target refuses the files, and `CompileError` where the compiler
    or its host fails.
    """
    target = _target(artifact, order)
    net = read_net(artifact.prototxt, None, target.dialect)
    prepared = _prepared(artifact, net, order, target)
    with reported(artifact.folder):
        _write_script(artifact.folder, prepared)
        return _run(artifact, prepared, order, heard)


@dataclass(frozen=True)
class _Prepared:
    """The script's text, what it takes, and the command in it."""

    work: Work
    beside: Mapping[str, Path]  # files of options that have yet to be put beside the script


def _target(artifact: Artifact, order: Order) -> Target:
    """Return the target; where it is not the conversion's own, only if it accepts the files."""
    own = artifact.manifest.target
    target = find_target(order.target or own)
    if tool_named(target.compiler) is None:
        hint = "convert for ascend310, ascend310p, ascend310b or hilens"
        raise UsageError(Diagnostic("K913", f"no compiler makes an om for the target {target.name}", hint=hint))
    if order.soc and order.soc not in target.socs:
        text = f"{order.soc} is no chip of the target {target.name}"
        raise UsageError(Diagnostic("K913", text, hint=f"its chips are {', '.join(target.socs)}"))
    if target.name != own:
        found = examine_files(artifact.prototxt, artifact.caffemodel, target)
        if not found.accepted:
            raise LegalityError(found.findings)
    return target


def _prepared(artifact: Artifact, net: Net, order: Order, target: Target) -> _Prepared:
    tool = tool_named(target.compiler)
    assert tool is not None
    options = _with_defaults(artifact, order, target, tool)
    aipp = "" if not options.insert_op_conf else _text(Path(options.insert_op_conf))
    inputs = {item.name: item.shape for item in net.inputs}
    layers = {name: (name,) for name in inputs} | {layer.name: layer.tops for layer in net.layers}
    subject = Subject(tool, inputs, outputs_of(artifact, net), aipp, layers)
    full = completed(options, subject)
    wrong = tuple(misfits(full, subject, net, _origins(artifact)))
    if wrong:
        raise UsageError(wrong)
    title = f"{tool} makes an om for {target.name} of these files; written by torch2om {__version__}."
    return _arranged(artifact, full, tool, title)


def _arranged(artifact: Artifact, options: CompileOptions, tool: Tool, title: str) -> _Prepared:
    """Give every file a plain name, and options' files a place beside the net's."""
    stem = artifact.prototxt.stem
    plain = stem if _PLAIN.fullmatch(stem) else "model"
    given = dict(options.files())
    files = {name: _plain(name, file) for name, file in given.items()}
    names = Names(f"{plain}.prototxt", f"{plain}.caffemodel", plain, files)
    home = artifact.folder.resolve()
    beside = {files[name]: file for name, file in given.items() if file.resolve().parent != home}
    taken = (
        (artifact.prototxt.name, names.prototxt),
        (artifact.caffemodel.name, names.caffemodel),
        *((files[name] if files[name] in beside else file.name, files[name]) for name, file in given.items()),
    )
    return _Prepared(Work(tool, title, taken, arguments(options, names), plain, f"{stem}.om"), beside)


def _with_defaults(artifact: Artifact, order: Order, target: Target, tool: Tool) -> CompileOptions:
    """Return the options with the chip and the conversion's AIPP file, where none is given."""
    options = order.options
    if options.soc_version:
        text = "--option soc_version: the chip is named with --soc"
        raise UsageError(Diagnostic("K911", text, hint=f"--soc {options.soc_version}"))
    if tool == "atc":
        options = replace(options, soc_version=order.soc or target.socs[0])
    return options if artifact.aipp is None else options.with_default("insert_op_conf", str(artifact.aipp))


def outputs_of(artifact: Artifact, net: Net) -> tuple[Node, ...]:
    """Return the net's outputs in the user's order, each by the layer that makes it; an input is none (K912)."""
    blobs = {output.name: output.blob for output in net.outputs}
    nodes = []
    for record in artifact.manifest.outputs:
        blob = blobs.get(record.blob, record.blob)
        layer = net.producers.get(blob)
        if layer is None:
            text = f"the output {record.blob} is an input of the net: no layer makes it"
            raise UsageError(Diagnostic("K912", text, hint="convert for a target that has a compiler"))
        nodes.append(Node(layer.name, layer.tops.index(blob), record.blob))
    return tuple(dict.fromkeys(nodes))


def _origins(artifact: Artifact) -> dict[str, Origin]:
    return {layer.name: layer.origin for layer in artifact.manifest.layers}


def _plain(option: str, file: Path) -> str:
    """Return a name for an option's file that no compiler refuses."""
    return f"{option}{file.suffix}" if re.fullmatch(r"\.[A-Za-z0-9]+", file.suffix) else option


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error


def _write_script(folder: Path, prepared: _Prepared) -> None:
    """Put the script, and the options' files that it takes, beside the net's files: all of them or none."""
    with staged(folder) as staging:
        for name, file in prepared.beside.items():
            shutil.copyfile(file, staging / name)
        script = staging / SCRIPT
        script.write_text(compile_script(prepared.work), encoding="utf-8")
        script.chmod(0o755)
        publish(staging, folder, (SCRIPT, *prepared.beside))


@dataclass
class _Listener:
    """Keeps the log: all of it in the file, as much as is looked at in memory."""

    stream: TextIO
    heard: Heard
    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.stream.write(line + "\n")
        self.stream.flush()
        if len(self.lines) < KEPT:
            self.lines.append(line)
        if not line.startswith(OWN):
            self.heard(line)

    def after(self, mark: str) -> Iterator[str]:
        """Yield what stands after the script's own mark."""
        yield from (line.removeprefix(mark) for line in self.lines if line.startswith(mark))


def _run(artifact: Artifact, prepared: _Prepared, order: Order, heard: Heard) -> Compiled:
    """Run the script on the host, and judge by its exit code and the om."""
    folder, work, log = artifact.folder, prepared.work, artifact.folder / LOG
    begin = time.monotonic()
    with staged(folder) as staging, log.open("w", encoding="utf-8") as stream:
        listener = _Listener(stream, heard)
        bundle = Bundle(folder, SCRIPT, work.files, staging, f"{work.om}.om", order.compiler)
        code = _on_host(order, bundle, listener)
        made = staging / bundle.result
        ended = Compiled(
            work.tool,
            (work.tool, *work.arguments),
            order.host.title,
            folder / SCRIPT,
            log,
            time.monotonic() - begin,
            next(listener.after(FOUND), ""),
        )
        if code == NOT_FOUND and not ended.compiler:
            return replace(ended, notes=(_missing(work.tool, order, listener),))
        found = diagnose(listener.lines, _origins(artifact))
        if code or not made.is_file() or not made.stat().st_size:
            raise CompileError(_failure(artifact, work, code, listener, found))
        made.rename(staging / work.result)
        publish(staging, folder, (work.result,))
    return replace(ended, om=folder / work.result, notes=tuple(map(_as_warning, found)))


def _on_host(order: Order, bundle: Bundle, heard: Heard) -> int:
    try:
        return order.host.compile(bundle, order.seconds, heard)
    except Expired as error:
        text = f"the compiler was ended after {order.seconds:g} s on {order.host.title}"
        raise CompileError(Diagnostic("K904", text, hint="give more time with --timeout SECONDS")) from error
    except Unreachable as error:
        raise CompileError(Diagnostic("K905", f"{order.host.title}: {error}")) from error


def _missing(tool: Tool, order: Order, listener: _Listener) -> Diagnostic:
    looked = tuple(f"looked at {place}" for place in listener.after(LOOKED))
    text = f"{order.host.title} has no {tool}"
    return Diagnostic("K901", text, hint=REMEDIES[tool], severity=Severity.WARNING, details=looked)


def _failure(
    artifact: Artifact, work: Work, code: int, listener: _Listener, found: tuple[Diagnostic, ...]
) -> tuple[Diagnostic, ...]:
    """Return what failed, and the log's own findings; an om of an earlier run is called by its name."""
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    what = f"{work.tool} failed ({how})" if code or says_failed(listener.lines) else f"{work.tool} left no om"
    details = [] if found else [f"its last line: {line}" for line in listener.lines[-1:]]
    old = artifact.folder / work.result
    if old.exists():
        details.append(f"{old} is of an earlier run")
    return Diagnostic("K902", what, hint=f"the whole log is {artifact.folder / LOG}", details=tuple(details)), *found


def _as_warning(found: Diagnostic) -> Diagnostic:
    """A compiler that made an om has only warned."""
    return replace(found, severity=Severity.WARNING)
