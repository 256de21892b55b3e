"""`python -m torch2om`: the same as the command `torch2om`."""

from torch2om.cli import main

if __name__ == "__main__":
    main()
