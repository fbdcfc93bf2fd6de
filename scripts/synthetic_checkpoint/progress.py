"""How far a run is, and how fast."""

import sys
import time


class Progress:
    """Bytes and speed on stderr: one line that changes on a terminal, elsewhere one every ten seconds."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._terminal = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()

    def add(self, size: int) -> None:
        """That so many bytes are written."""
        self._done += size
        now = time.monotonic()
        if now - self._shown > (0.2 if self._terminal else 10):
            self._shown = now
            speed = self._done / (now - self._begun)
            left = (self._total - self._done) / speed
            self._print(
                f"{gigabytes(self._done)} of {gigabytes(self._total)}, {speed / 1e9:.2f} GB/s, {left:.0f} s left"
            )

    def end(self) -> None:
        """That all is on the disk."""
        seconds = time.monotonic() - self._begun
        if self._total:
            self._print(f"{gigabytes(self._total)} in {seconds:.1f} s, {self._total / seconds / 1e9:.2f} GB/s")
            sys.stderr.write("\n" * self._terminal)
        else:
            self._print("all files were there\n" if self._terminal else "all files were there")

    def _print(self, line: str) -> None:
        sys.stderr.write(f"\r{line:60}" if self._terminal else f"{line}\n")
        sys.stderr.flush()


def gigabytes(size: int) -> str:
    """With three digits that count."""
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.2f} MB"
