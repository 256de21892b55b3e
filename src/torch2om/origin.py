"""Where a layer comes from: the user's line, the module path, and the trail of rules that made it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Origin:
    """The place in the user's PyTorch (or Caffe file) that a layer comes from.

    `call` is the exported call's name, `target` its operator (`aten.relu.default`, or a Caffe layer type), `module`
    the dotted module path (`layer1.0.conv1`, empty at the root), `leaf` whether that module is a leaf of the
    hierarchy (a `torch.nn` layer) rather than the user's container, `file`, `line` and `code` the user's line, and
    `via` the names of the rules that rewrote the layer, oldest first.
    """

    call: str = ""
    target: str = ""
    module: str = ""
    leaf: bool = False
    file: str = ""
    line: int = 0
    code: str = ""
    via: tuple[str, ...] = ()

    def through(self, rule: str) -> Origin:
        """Return this origin with one rule name more on its trail (a rule stands there once in a row)."""
        return self if self.via[-1:] == (rule,) else replace(self, via=(*self.via, rule))

    @property
    def place(self) -> str:
        """`file:line (module)`, with what is not known left out."""
        where = f"{self.file}:{self.line}" if self.file else ""
        module = f"module {self.module}" if self.module else ""
        return f"{where} ({module})" if where and module else where or module


NOWHERE = Origin()
