"""`python -m envs` lists the commands of this package; `python -m envs NAME` runs one."""

from envs.command_line import dispatch

if __name__ == "__main__":
    dispatch("envs")
