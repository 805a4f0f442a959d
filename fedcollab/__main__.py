"""`python -m fedcollab` is the command line."""

from fedcollab.cli import main

main()
