"""What memory gives here: a plain read of as many bytes as are asked for, again and again, by one thread a processor.

For each line on standard input it reads them a few times and answers with the seconds of each read. The operation is an
`or` over 64-bit words, which numpy runs with vector instructions and without its lock. Arguments: BYTES.
"""

import json
import os
import sys
import threading
import time

import numpy as np


def main(size: int) -> None:
    """Reads as often as it is asked to."""
    words = np.ones(size // 8, np.int64)
    parts = np.array_split(words, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        seconds = []
        for _ in range(5):
            threads = [threading.Thread(target=np.bitwise_or.reduce, args=(part,)) for part in parts]
            started = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds.append(time.perf_counter() - started)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
