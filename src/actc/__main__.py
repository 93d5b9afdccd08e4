"""`python -m actc`."""

import sys

from actc._cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
