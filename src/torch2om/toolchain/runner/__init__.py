"""Where the compiler runs: this machine, a container, a machine behind ssh. The only room that starts programs."""

from __future__ import annotations

from torch2om.toolchain.runner.container import Container
from torch2om.toolchain.runner.host import Bundle, Heard, Host, Unreachable
from torch2om.toolchain.runner.local import Local
from torch2om.toolchain.runner.process import Expired
from torch2om.toolchain.runner.ssh import Ssh

__all__ = ["Bundle", "Container", "Expired", "Heard", "Host", "Local", "Ssh", "Unreachable"]
