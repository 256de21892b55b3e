"""The tasks: what the runtime launches, in order: a message domi.ModelTaskDef (GE graph_metadef/proto/task.proto)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch2om.om.container import Partition
from torch2om.om.message import Allowance, Message

_TYPES: Mapping[int, str] = {
    0: "kernel", 1: "event_record", 2: "event_wait", 3: "fusion_start", 4: "fusion_end", 5: "kernel_ex", 6: "hccl",
    7: "stream_switch", 8: "stream_active", 9: "label_set", 10: "label_switch", 11: "label_goto",
    12: "profiler_trace", 13: "memcpy_async", 18: "event_reset", 19: "model_end_graph", 22: "memcpy_addr_async",
    26: "all_kernel", 28: "ffts", 29: "ffts_plus", 31: "cmo", 32: "barrier",
}  # fmt: skip
_CORES: Mapping[int, str] = {
    0: "AI Core (built in)", 1: "AI CPU (built in)", 2: "AI Core", 3: "customized", 4: "AI Core", 5: "AI CPU (TE)",
    6: "AI CPU", 7: "AI CPU (custom)", 8: "host CPU",
}  # fmt: skip
_ON_AI_CPU = "kernel_ex"

KIRIN_TASKS = "Kirin's compiler writes them in a format of its own"


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its type, its stream, and of a kernel its name, its number of blocks, its core, and its operator.

    `op_id` is the id of the operator that the task computes; None where the task names none.
    """

    type: str
    stream: int
    kernel: str = ""
    blocks: int = 0
    core: str = ""
    op_id: int | None = None


@dataclass(frozen=True, slots=True)
class Tasks:
    """All tasks of a model; `unread` says why there are none where the file has some."""

    tasks: tuple[Task, ...] = ()
    unread: str = ""

    @property
    def types(self) -> Mapping[str, int]:
        """How many tasks of each type there are."""
        return Counter(task.type for task in self.tasks)

    @property
    def on_ai_cpu(self) -> int:
        """How many tasks run on the slow AI CPU instead of the AI Core."""
        return sum(task.type == _ON_AI_CPU or task.core.startswith("AI CPU") for task in self.tasks)


def read_tasks(partition: Partition | None) -> Tasks:
    """Return the tasks of a model; raises WireProblem."""
    if partition is None:
        return Tasks()
    message = Message(partition.file, partition.start, partition.stop, Allowance())
    return Tasks(tuple(map(_task, message.inners(10))))


def _task(message: Message) -> Task:
    number = message.integer(2)
    task = Task(_TYPES.get(number, f"type {number}"), message.integer(10))
    return _kernel(task, message.inner(20)) if number == 0 else task


def _kernel(task: Task, message: Message) -> Task:
    """Add what KernelDef says; the oldest files name the operator in a list only."""
    context = message.inner(1)
    ids = (*context.integers(4), *context.integers(8))
    return replace(
        task,
        kernel=message.text(17) or message.text(10),
        blocks=message.integer(11),
        core=_CORES.get(context.integer(1), ""),
        op_id=ids[0] if ids else None,
    )
