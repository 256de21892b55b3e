"""The words of protobuf's text format, with their places: what Caffe's C++ tokenizer sees in a prototxt.

The rules are those of google::protobuf::io::Tokenizer as TextFormat sets it up (measured on OpenCV 4.14's copy): `#`
comments, adjacent strings, C escapes, hex and octal integers, an `f` after a float; a number must not touch a word,
a string must end on its line, and only strings and comments may leave ASCII. protobuf's Python tokenizer differs
(it takes `a-b` for a name and `012` for a float), so a file that it reads may still be refused by Caffe.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from typing import NamedTuple


class SyntaxProblem(ValueError):  # noqa: N818 - a finding about the user's file, mapped to a diagnostic above
    """A prototxt that a dialect's parser refuses: where (line and column from 1) and why."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.line = line
        self.column = column
        self.message = message


class Kind(Enum):
    """What a token is."""

    WORD = "a name"
    INTEGER = "an integer"
    FLOAT = "a number"
    STRING = "a string"
    SYMBOL = "a symbol"
    END = "the end of the file"


class Token(NamedTuple):
    """A piece of the text and the index of its first character."""

    kind: Kind
    text: str
    offset: int


# What separates tokens, then one if there is any.
_TOKEN = re.compile(
    r"""
    (?:[ \t\r\n\v\f]++|\#[^\n\0]*+)*+
    (?:
      (?P<WORD>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<FLOAT>(?:(?:0|[1-9][0-9]*+)\.[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?[fF]?
               |(?:0|[1-9][0-9]*+)(?:[eE][+-]?[0-9]++[fF]?|[fF]))
    | (?P<INTEGER>0[xX][0-9A-Fa-f]++|[0-9]++)
    | (?P<STRING>"[^"\\\n\0]*+(?:\\[^\n\0][^"\\\n\0]*+)*+"|'[^'\\\n\0]*+(?:\\[^\n\0][^'\\\n\0]*+)*+')
    | (?P<SYMBOL>[!\x23-\x26(-/:-@\x5b-`{-~])
    )?
    """,
    re.VERBOSE,
)
_KINDS = Kind.__members__
_NUMBERS = (Kind.INTEGER, Kind.FLOAT)
_TOUCHES = re.compile(r"[A-Za-z0-9_.]")
_SHOWN = 40  # a problem quotes no more of a hostile token than this


class Tokens:
    """The tokens of a text, one ahead: `current` is the next that nobody has taken."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._scan = self._tokens()
        self.current = next(self._scan)

    def take(self) -> Token:
        """Return the current token and go on to the next; the end is never passed."""
        taken = self.current
        if taken.kind is not Kind.END:
            self.current = next(self._scan)
        return taken

    def accept(self, symbol: str) -> bool:
        """Take the current token if it is this symbol."""
        found = self.current.kind is Kind.SYMBOL and self.current.text == symbol
        if found:
            self.take()
        return found

    def at(self, kind: Kind) -> bool:
        """Whether the current token is of this kind."""
        return self.current.kind is kind

    def expect(self, kind: Kind, wanted: str) -> Token:
        """Take the current token, which must be of this kind; `wanted` says in words what belongs here."""
        if self.current.kind is not kind:
            raise self.expected(wanted)
        return self.take()

    def expected(self, wanted: str) -> SyntaxProblem:
        """Return the problem that something else stands where `wanted` belongs."""
        found = shown(self.current.text) if self.current.text else Kind.END.value
        return self.problem(f"expected {wanted}, found {found}")

    def problem(self, message: str, offset: int | None = None) -> SyntaxProblem:
        """Return a problem at `offset`, or at the current token."""
        return SyntaxProblem(*self.place(self.current.offset if offset is None else offset), message)

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column, both from 1 and in characters, of an index into the text."""
        line = bisect_left(self._line_ends, offset)
        return line + 1, offset - (self._line_ends[line - 1] if line else -1)

    @cached_property
    def _line_ends(self) -> list[int]:
        return [found.start() for found in re.finditer("\n", self._text)]

    def _tokens(self) -> Iterator[Token]:
        text, at = self._text, 0
        while (found := _TOKEN.match(text, at)) and found.lastgroup:
            kind = _KINDS[found.lastgroup]
            start, at = found.span(found.lastgroup)
            if kind in _NUMBERS and _TOUCHES.match(text, at):
                raise self.problem(f"the number {shown(text[start:at])} runs into what follows it", start)
            yield Token(kind, text[start:at], start)
        end = found.end() if found else at
        if end < len(text):
            raise self.problem(_stray(text[end]), end)
        yield Token(Kind.END, "", end)


def _stray(character: str) -> str:
    if character in "\"'":
        return "the string does not end on its line"
    if character == "\ufeff":
        return "the file begins with a byte order mark, which Caffe's parser refuses: save it as UTF-8 without one"
    return f"the character {character!a} may stand only in a string or a comment"


def shown(text: str) -> str:
    """Return `text` quoted for a message, and cut if it is long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def decode_text(data: bytes) -> str:
    """Return the text of a file's bytes; what is not UTF-8 stays as surrogates, so that comments may hold anything.

    Caffe's tokenizer knows bytes only. A string value that is not UTF-8 is refused when it is read.
    """
    return data.decode("utf-8", "surrogateescape")
