"""`python scripts/synthetic_checkpoint …`, from any folder."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python looks for modules in a folder that it runs; this package is found beside it.
    sys.path[0] = str(Path(__file__).parents[1])
    from synthetic_checkpoint.command_line import main

    sys.exit(main())
