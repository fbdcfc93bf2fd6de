"""A recording that lasts as long as a client's stream."""

from collections.abc import Iterator

from tsxla_worker.contract.errors import invalid
from tsxla_worker.contract.generated import pb
from tsxla_worker.serving.worker import Worker


def record(worker: Worker, requests: Iterator[pb.ProfileRequest]) -> Iterator[pb.ProfileResponse]:
    """Records until the client has no more to say, or is gone."""
    first = next(requests, None)
    if first is None:
        raise invalid("REQUEST_INVALID", "The stream ended before a folder came.")
    recording = worker.profiler.start(worker.root.confine(first.directory))
    files: list[str] = []
    try:
        yield pb.ProfileResponse(directory=str(recording.folder))
        for _ in requests:
            pass
    finally:
        files += (str(path) for path in recording.stop(worker.executables.optimized_module))
    yield pb.ProfileResponse(directory=str(recording.folder), files=files)
