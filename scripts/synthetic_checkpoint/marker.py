"""The file that says which folder was written by this, with which settings, and what in it may be removed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthetic_checkpoint.errors import RefusalError
from synthetic_checkpoint.files import File, indented, text
from synthetic_checkpoint.whole_files import partial, write_file

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

MARKER = ".synthetic-checkpoint.json"


def leave_marker(folder: Path, settings: Mapping[str, Any], files: Sequence[File]) -> None:
    """Says what will be written here, before it is; a marker that is there stays as it is."""
    marker = {"about": ABOUT, "settings": settings, "files": {file.name: file.size for file in files}}
    if not (folder / MARKER).exists():
        write_file(folder, text(MARKER, indented(marker)), lambda _: None)


def read_marker(folder: Path) -> dict[str, Any]:
    """What this script left in a folder of its own; names lead nowhere else."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        outside = [name for name in marker["files"] if name == ".." or Path(name).name != name]
    except FileNotFoundError as error:
        raise RefusalError(f"{folder} has no {MARKER}, so it was not written by this; it is left as it is") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RefusalError(f"{folder / MARKER} cannot be read, so {folder} is left as it is") from error
    if outside:
        raise RefusalError(f"{folder / MARKER} names {outside[0]!r}, which is not in the folder; nothing was touched")
    return marker


def check_own(folder: Path, settings: Mapping[str, Any]) -> None:
    """A folder is empty, or was begun with the same settings."""
    if not (folder / MARKER).exists():
        found = sorted(path.name for path in folder.iterdir() if path.name != partial(folder / MARKER).name)
        if found:
            raise RefusalError(
                f"{folder} is not empty (it has {found[0]}) and was not begun by this; give another --out"
            )
        return
    begun = read_marker(folder).get("settings", {})
    different = [key for key in settings if begun.get(key) != settings[key]]
    if different:
        raise RefusalError(
            f"{folder} was begun with another {', '.join(different)}; give another --out, or remove it first: "
            f"npm run checkpoint:synthetic -- --remove {folder}"
        )


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

ABOUT = "Written by scripts/synthetic_checkpoint. The files named here are removed by its --remove."
