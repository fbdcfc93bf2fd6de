"""A digest by which hosts find out whether they hold the same weights, without reading all of them.

It covers the names, types, shapes and sizes of all tensors, and of each the first, the middle and the last page: two
trainings of one model differ nearly everywhere. It does not cover paths and times, which differ between hosts.
"""

import hashlib
import os
from contextlib import ExitStack

from tsxla_worker.checkpoints.checkpoint import Checkpoint, damaged, stamp
from tsxla_worker.machine.paths import closing, open_regular

_PAGE = 4096


def of(checkpoint: Checkpoint) -> str:
    """Computes the digest of an open checkpoint."""
    digest = hashlib.sha256(checkpoint.container.encode())
    with ExitStack() as stack:
        files = {
            path: stack.enter_context(closing(open_regular(path)))
            for path in {tensor.file for tensor in checkpoint.tensors.values()}
        }
        for path, descriptor in files.items():
            if stamp(descriptor) != checkpoint.stamps[path]:
                raise damaged(path, "it has changed since it was opened; open it again.")
        for tensor in checkpoint.tensors.values():
            digest.update(repr((tensor.name, str(tensor.type), tensor.format, tensor.shape, tensor.bytes)).encode())
            last = max(0, tensor.bytes - _PAGE)
            for at in sorted({0, last // 2, last}):
                digest.update(os.pread(files[tensor.file], min(_PAGE, tensor.bytes - at), tensor.offset + at))
    return digest.hexdigest()
