"""A Dask cluster by the address of its scheduler: its workers make the rows, each as this machine would.

A worker starts the model's own process, as `process` does here, so that limits hold there too. The list's folder must
be one that the workers see under the same name: MODEL and weights are read, and files are written, there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch2om.batch.order import Order
from torch2om.batch.process import converted
from torch2om.batch.row import Outcome, Row, Verdict
from torch2om.batch.workers import Begun
from torch2om.errors import Diagnostic, UsageError
from torch2om.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 15.0  # seconds to wait for the scheduler
INSTALL = "pip install 'torch2om[cluster]'"


@dataclass(frozen=True)
class Cluster:
    """The workers behind a scheduler; Dask decides which of them takes which model."""

    address: str

    def rows(self, orders: Sequence[Order], begun: Begun) -> Generator[Row, None, None]:  # noqa: ARG002 - Dask tells ends alone
        """Yield the rows as they come; a model whose worker goes away again and again is a row too.

        Raises `UsageError` (U154) where there is no scheduler, or where its workers have another torch2om.
        """
        with _client(self.address) as client:
            _compare_versions(client, self.address)
            futures = {client.submit(converted, order, pure=False): order for order in orders}
            try:
                yield from _rows(client, futures)
            finally:
                client.cancel(list(futures))  # type: ignore[no-untyped-call]  # distributed has few types


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        from distributed import Client  # noqa: PLC0415 - whoever has no cluster does not need it
    except ImportError as error:
        raise UsageError(Diagnostic("U154", "Dask's distributed cannot be imported", hint=INSTALL)) from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]  # as above
    except (OSError, ValueError) as error:
        text = f"there is no Dask scheduler at {address}: {error}"
        raise UsageError(Diagnostic("U154", text, hint="write tcp://HOST:8786, as dask scheduler prints it")) from error
    try:
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]  # as above


def version() -> str:
    """Return the version of torch2om where this runs."""
    return __version__


def _compare_versions(client: Client, address: str) -> None:
    found = client.run(version, on_error="return")
    if not found:
        raise UsageError(
            Diagnostic("U154", f"the scheduler at {address} has no workers", hint="start them: dask worker")
        )
    for worker, answer in found.items():
        if answer != __version__:
            text = f"the worker {worker} has not torch2om {__version__}: {answer}"
            raise UsageError(Diagnostic("U154", text, hint=f"on the worker: {INSTALL}"))


def _rows(client: Client, futures: Mapping[Future[Row], Order]) -> Iterator[Row]:
    from distributed import as_completed  # noqa: PLC0415 - as above

    for future in as_completed(list(futures), loop=client.loop):  # type: ignore[no-untyped-call]  # as above
        error = future.exception()
        yield future.result() if error is None else _lost(futures[future], error)


def _lost(order: Order, error: BaseException) -> Row:
    text = f"no worker finished it: {type(error).__name__}: {error}".partition("\n")[0]
    job, found = order.job, Diagnostic("B955", text)
    outcomes = tuple(Outcome(target, Verdict.DIED, findings=(found,)) for target in job.targets)
    return Row(job, order.limits, __version__, None, {}, 0.0, 0, (), outcomes)
