"""The real files: two beside the tests, and further ones where a folder of them lies beside the repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = ROOT / "tests" / "data" / "om"
LANDMARKS = OWN / "landmark68_template_model.om"
PONG = OWN / "a3c_pong_model.om"
FURTHER = ROOT.parent / "shared" / "om-samples"
SUMS = (OWN / "README.md", FURTHER / "SHA256SUMS")


def sample_paths() -> list[Path]:
    """Every real file that is here, each once."""
    found = {path.name: path for folder in (FURTHER, OWN) for path in sorted(folder.rglob("*.om"))}
    return [found[name] for name in sorted(found)]
