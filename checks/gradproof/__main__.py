"""``python -m gradproof``, the same as the command ``gradproof``; it knows nothing else."""

import sys

from gradproof.cli import main

if __name__ == "__main__":
    sys.exit(main())
