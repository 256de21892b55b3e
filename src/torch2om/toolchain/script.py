"""compile.sh: the one script that every runner runs, and that a user runs where the compiler is.

It looks for the compiler, sets up its environment as the vendor documents, works in a folder of its own under plain
names (the compilers refuse many characters in paths), and moves the om to its place at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from shlex import join, quote

from torch2om.toolchain.places import ON_PATH, PLACES, REMEDIES, Place
from torch2om.toolchain.tool import Tool

# How the script speaks to torch2om, between the compiler's own lines.
OWN = "torch2om: "
FOUND, LOOKED = f"{OWN}compiler ", f"{OWN}no compiler at "
NOT_FOUND, NO_OM = 69, 70  # exit codes; the compilers' own are 1 and 255


@dataclass(frozen=True)
class Work:
    """What the script does: which files it takes under which plain names, and the command's arguments.

    A file may stand beside the script under its plain name already. `om` is the om's plain name without its suffix,
    `result` its file name in the end.
    """

    tool: Tool
    title: str
    files: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]
    om: str
    result: str


def compile_script(work: Work) -> str:
    """Return the text of compile.sh: `bash compile.sh [COMPILER [FOLDER]]`."""
    lines = (
        "#!/usr/bin/env bash",
        f"# {work.title}",
        f"# bash compile.sh [COMPILER [FOLDER]]: with this {work.tool}; the om into this folder, as {work.om}.om.",
        "set -u",
        'here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd) || exit 1',
        'into=$(mkdir -p -- "${2:-$here}" && cd -- "${2:-$here}" && pwd) || exit 1',
        f"result={quote(work.result)}",
        f'[ -z "${{2:-}}" ] || result={work.om}.om',
        "",
        search_script(work.tool),
        "",
        _SETUP[work.tool],
        "",
        *_taken(work),
        *_run(work),
    )
    return "\n".join(lines) + "\n"


def search_script(tool: Tool) -> str:
    """Return the lines that set `compiler`, from $1 or the documented places; without success they leave with 69."""
    tries = (f"look {_path(tool, place)}" for place in PLACES[tool])
    return "\n".join(
        (
            "compiler=",
            "look() {",
            '  [ -n "$compiler" ] || [ -z "$1" ] && return',
            '  case $1 in /*) ;; *) set -- "$PWD/$1" ;; esac',
            f'  if [ -f "$1" ] && [ -x "$1" ]; then compiler=$1; else printf \'{LOOKED}%s\\n\' "$1"; fi',
            "}",
            'if [ -n "${1:-}" ]; then',
            '  look "$1"',
            "else",
            *(f"  {line}" for line in tries),
            "fi",
            'if [ -z "$compiler" ]; then',
            f"  printf '%s\\n' {quote(f'{OWN}no {tool} was found. {REMEDIES[tool]}')}",
            f"  exit {NOT_FOUND}",
            "fi",
            f"printf '{FOUND}%s\\n' \"$compiler\"",
        )
    )


def _path(tool: Tool, place: Place) -> str:
    """Return a place as one word of the shell; empty where a variable is not set."""
    if place.path == ON_PATH:
        return f'"$(type -P {tool})"'
    name, slash, rest = place.path.partition("/")
    return f'"${{{name[1:]}:+${name[1:]}{slash}{rest}}}"' if name.startswith("$") else f'"{place.path}"'


def _taken(work: Work) -> Iterable[str]:
    yield 'work=$(mktemp -d "${TMPDIR:-/tmp}/torch2om_XXXXXX") || exit 1'
    yield "trap 'rm -rf -- \"$work\"' EXIT"
    yield "take() {"
    yield "  local from=$here/$1"
    yield '  [ -e "$from" ] || from=$here/$2'
    yield '  ln -- "$from" "$work/$2" 2>/dev/null || cp -- "$from" "$work/$2"'
    yield "}"
    yield from (f"take {quote(name)} {quote(plain)} || exit 1" for name, plain in work.files)
    yield 'cd -- "$work" || exit 1'


def _run(work: Work) -> Iterable[str]:
    """Yield the command, and what decides success: the exit code and the om (its name may gain the host's)."""
    yield f'"$compiler" {join(work.arguments)} </dev/null || exit'
    yield f"for made in {work.om}.om {work.om}_*.om; do"
    yield '  [ -s "$made" ] || continue'
    yield '  cp -- "$made" "$into/$result.part" && mv -f -- "$into/$result.part" "$into/$result" || exit 1'
    yield "  exit 0"
    yield "done"
    yield f"printf '%s\\n' '{OWN}{work.tool} ended well but left no om'"
    yield f"exit {NO_OM}"


# The environment that each generation documents, unless it is set already.
_ATC_SETUP = r"""
prefix() { printf -v "$1" '%s' "$2${!1:+:${!1}}"; export "$1"; }
folder=$(dirname -- "$compiler")
case $compiler in
  */atc/bin/atc)
    home=${compiler%/atc/bin/atc}
    if [ -z "${ASCEND_OPP_PATH:-}" ] && [ -d "$home/opp" ]; then
      prefix PATH "$home/atc/ccec_compiler/bin:$home/atc/bin"
      prefix PYTHONPATH "$home/atc/python/site-packages"
      prefix LD_LIBRARY_PATH "$home/atc/lib64"
      export ASCEND_OPP_PATH=$home/opp
    fi ;;
  *)
    for home in "$folder/.." "$folder/../.." "$folder/../../.."; do
      if [ -z "${ASCEND_OPP_PATH:-}" ] && [ -f "$home/set_env.sh" ]; then
        set +u; . "$home/set_env.sh"; set -u
      fi
      stubs=$home/$(uname -m)-linux/devlib
      if [ ! -e /dev/davinci_manager ] && [ -d "$stubs" ]; then prefix LD_LIBRARY_PATH "$stubs"; fi
    done ;;
esac
"""
_OMG_SETUP = r"""
prefix() { printf -v "$1" '%s' "$2${!1:+:${!1}}"; export "$1"; }
case $compiler in
  */uihost/bin/omg)
    home=${compiler%/uihost/bin/omg}
    prefix LD_LIBRARY_PATH "$home/uihost/lib"
    prefix PATH "$home/uihost/toolchains/ccec-linux/bin"
    prefix PYTHONPATH "$home/site-packages" ;;
esac
export SLOG_PRINT_TO_STDOUT=1
"""
_SETUP = {"atc": _ATC_SETUP.strip(), "omg": _OMG_SETUP.strip()}
