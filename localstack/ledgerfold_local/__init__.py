"""The local cloud: starts an emulator, deploys the stacks of a project to it, shows its logs and stops it."""
