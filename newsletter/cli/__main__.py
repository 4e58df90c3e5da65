"""`python -m newsletter.cli …`: how `serve` starts its parts, whatever the program is called and wherever it lies."""

from . import main

main()
