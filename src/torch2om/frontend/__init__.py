"""ATC's Caffe front end as a judge of files: what it accepts, where it stops, and the dims that it infers.

It works on the parsed messages, as ATC does, and not on our own net: what our reader refuses is judged all the same.
Sources: the parser GE (mirror-cann/ge, parser/parser, 2026, whose control flow is that of June 2021), the operators'
plugins and shape rules of canndev, June 2021 (ops/built-in), and metadef of the same month.
"""

from __future__ import annotations

from torch2om.caffe.caffemodel import StoredNet
from torch2om.frontend.assumed import assume_weights
from torch2om.frontend.inference import infer, leave
from torch2om.frontend.model import read_model
from torch2om.frontend.omg import judge_as_omg
from torch2om.frontend.outputs import check_inputs, check_outputs
from torch2om.frontend.ranks import find_widened
from torch2om.frontend.traps import find_traps
from torch2om.frontend.verdict import Findings, Judgement, Stage
from torch2om.frontend.weights import Unreadable, attach_weights


def judge(text: str, stored: StoredNet | Unreadable | None, *, file: str = "") -> Judgement:
    """Return ATC's verdict on a prototxt's text and a caffemodel; `file` is the prototxt's name in the findings.

    Without a caffemodel (which ATC needs) the weights are assumed to be those that the layers' parameters name.
    """
    findings = Findings(file)
    graph = read_model(text, findings)
    if graph is None:
        return findings.judgement(Stage.MODEL)
    check_inputs(graph, findings)
    if findings.refused:
        return findings.judgement(Stage.MODEL)
    if stored is not None:
        attach_weights(graph, stored, findings)
    if findings.refused:
        return findings.judgement(Stage.WEIGHTS)
    check_outputs(graph, findings)
    if findings.refused:
        return findings.judgement(Stage.OUT)
    infer(graph, findings, leave if stored is not None else assume_weights)
    if findings.refused:
        return findings.judgement(Stage.INFERSHAPE)
    if stored is not None:
        find_traps(graph, findings)
    find_widened(graph, findings)
    outputs = {f"{link.node}:{link.index}": graph.nodes[link.node].outputs[link.index].shape for link in graph.outputs}
    tops = {f"{link.node}:{link.index}": top for link, top in graph.outputs.items()}
    return findings.judgement(None, outputs, tops)


__all__ = ["Judgement", "Stage", "Unreadable", "judge", "judge_as_omg"]
