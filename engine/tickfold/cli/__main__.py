"""`python -m tickfold.cli`: the command line without its script."""

from tickfold_command import main

main()
