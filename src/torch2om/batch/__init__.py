"""Lists of models: each converted in a process of its own, for all its targets, and one table of what became of them.

A model that takes too long, too much memory, or that dies, is a row of the table and takes no other with it.
"""

from __future__ import annotations

from torch2om.batch.listing import Input, Job, Limits, Listing
from torch2om.batch.reading import read_list
from torch2om.batch.row import Row, Verdict
from torch2om.batch.run import Result, run
from torch2om.batch.workers import Here, Workers

__all__ = ["Here", "Input", "Job", "Limits", "Listing", "Result", "Row", "Verdict", "Workers", "read_list", "run"]
