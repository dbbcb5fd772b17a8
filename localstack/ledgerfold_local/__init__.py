"""The local cloud: starts an emulator, deploys the template to it, shows its logs and stops it."""
