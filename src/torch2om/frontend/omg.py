"""What omg, ATC's predecessor, wants of a prototxt as a text beyond the limits of its layers."""

from __future__ import annotations

from torch2om.caffe.entries import inputs_stand_together, layer_lines
from torch2om.caffe.schema import CaffeMessage, schema
from torch2om.caffe.tokens import SyntaxProblem
from torch2om.errors import Diagnostic
from torch2om.frontend.ignored import is_dropped, warn_of_unknown_fields
from torch2om.frontend.verdict import Findings
from torch2om.targets.hilens import OMG


def judge_as_omg(text: str, *, file: str = "") -> tuple[Diagnostic, ...]:
    """Return what omg refuses in the text, and what it passes over; `file` is the prototxt's name in the findings."""
    findings = Findings(file)
    try:
        net, unknown = schema("omg").parse_and_note(text)
    except SyntaxProblem as problem:
        findings.refuse("F501", str(problem), OMG)
        return tuple(findings.found)
    findings.lines = {layer.name: line for layer, line in zip(net.layer, layer_lines(text), strict=False)}
    warn_of_unknown_fields(unknown, net, findings, reader="omg")
    _check_tops(net, findings)
    _check_proposals(net, findings)
    if inputs_stand_together(text, len(net.input)):
        findings.refuse("T416", "several `input:` stand in a row: write each one's input_shape behind it", OMG)
    return findings.judgement(None).findings


def _check_proposals(net: CaffeMessage, findings: Findings) -> None:
    """A Proposal has parameters of its own, or Python's."""
    for layer in net.layer:
        if not is_dropped(layer) and layer.HasField("proposal_param") and layer.HasField("python_param"):
            text = "it has both proposal_param and python_param: one of them must go"
            findings.refuse("T416", text, "HiLens #25", layer=layer.name)


def _check_tops(net: CaffeMessage, findings: Findings) -> None:
    """The first top of a layer bears the layer's name, unless the layer works in place."""
    for layer in net.layer:
        if is_dropped(layer) or not layer.top or layer.top[0] in (layer.name, *layer.bottom):
            continue
        text = f"its top is {layer.top[0]!r}, but omg wants it to bear the layer's name, {layer.name!r}"
        findings.refuse("T416", text, OMG, layer=layer.name)
