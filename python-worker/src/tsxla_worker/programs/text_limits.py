"""What a module's text may be before MLIR sees it: its size, and how deep things nest.

MLIR's parser and printer recurse, so a text that nests tens of thousands deep would end the process by exhausting the
stack. No model comes near these limits.
"""

import re

import numpy as np

from tsxla_worker.contract.errors import invalid

TEXT_LIMIT = 64 << 20
DEPTH_LIMIT = 500

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_ALIAS = re.compile(r"^(#[\w$.-]+) = (.*)$", re.MULTILINE)
_ALIAS_USE = re.compile(r"#[\w$.-]+")


def check(text: str) -> None:
    """Refuses a text with MODULE_INVALID."""
    raw = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    if raw.size > TEXT_LIMIT:
        _refuse(f"The module has {raw.size} bytes of text; at most {TEXT_LIMIT} are taken.", raw.size, TEXT_LIMIT)
    if "\0" in text:
        _refuse("The module's text holds a zero byte.", "\\0", "text")
    depth = _brackets(raw)
    if depth > DEPTH_LIMIT:
        # Brackets in names count only by mistake; leaving names out costs time, so it comes second.
        depth = _brackets(np.frombuffer(_STRING.sub("", text).encode("utf-8", "replace"), np.uint8))
    depth = max(depth, _aliases(text))
    if depth > DEPTH_LIMIT:
        _refuse(f"The module nests {depth} deep; at most {DEPTH_LIMIT} is taken.", depth, DEPTH_LIMIT)


def _brackets(raw: np.ndarray) -> int:
    arrow = np.concatenate([[False], raw[:-1] == ord("-")])
    opens = np.isin(raw, np.frombuffer(b"{([<", np.uint8))
    closes = np.isin(raw, np.frombuffer(b"})]", np.uint8)) | ((raw == ord(">")) & ~arrow)
    marks = opens[opens | closes]
    return int(np.cumsum(np.where(marks, 1, -1)).max(initial=0))


def _aliases(text: str) -> int:
    """The longest chain of aliases that are made of aliases, as locations are; only as long as it matters."""
    uses = {match.group(1): _ALIAS_USE.findall(match.group(2)) for match in _ALIAS.finditer(text)}
    if len(uses) <= DEPTH_LIMIT:
        return 0
    depths: dict[str, int] = {}
    for start in uses:
        stack = [start]
        while stack:
            name = stack[-1]
            waiting = [
                used for used in uses.get(name, ()) if used not in depths and used in uses and used not in stack[-2:]
            ]
            if waiting and len(stack) <= DEPTH_LIMIT:
                stack.extend(waiting)
                continue
            depths[stack.pop()] = 1 + max((depths.get(used, 0) for used in uses[name]), default=0)
    return max(depths.values())


def _refuse(message: str, found: object, wanted: object) -> None:
    raise invalid("MODULE_INVALID", message, found=found, wanted=wanted)
