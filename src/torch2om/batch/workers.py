"""Whoever makes rows of orders: processes of this machine here, a cluster in `cluster`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from torch2om.batch.order import Order
from torch2om.batch.process import converted
from torch2om.batch.row import Row

Begun = Callable[[str], None]


class Workers(Protocol):
    """Makes rows of orders, as they come."""

    def rows(self, orders: Sequence[Order], begun: Begun) -> Generator[Row, None, None]:
        """Yield the rows in the order in which they end; `begun` hears the name of each that begins.

        Closing the iterator ends what still runs.
        """


@dataclass(frozen=True)
class Here:
    """This machine: so many processes at once, each watched by a thread of its own."""

    processes: int

    def rows(self, orders: Sequence[Order], begun: Begun) -> Generator[Row, None, None]:
        """Yield the rows as they come."""
        stop = Event()

        def work(order: Order) -> Row:
            begun(order.job.name)
            return converted(order, stop)

        pool = ThreadPoolExecutor(self.processes)
        try:
            futures = [pool.submit(work, order) for order in orders]
            for future in as_completed(futures):
                yield future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
